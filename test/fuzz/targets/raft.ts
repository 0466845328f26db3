import assert from 'node:assert/strict';
import { configurationFault, emptyConfiguration } from '../../../src/raft/configuration.ts';
import { encodeConfigurationData } from '../../../src/raft/configuration-data.ts';
import { LoneCore, votersOf } from '../../../src/raft/testing/core.ts';
import type { Configuration, Entry, Message } from '../../../src/raft/types.ts';
import { oneIn, randomBytes } from '../engine/mutate.ts';
import type { Input, OpenTarget, Target } from '../engine/target.ts';

export const raftTarget: Target = {
  name: 'raft',
  about:
    'any well-typed messages in any order, between ticks, writes, proposals, changes and snapshots → the Raft core',
  weight: 1.5,
  where: 'here',
  open: async () => openTarget,
};

/** The bytes are a program: each step takes what it needs from them, so that dropping bytes drops steps. */
const openTarget: OpenTarget = {
  make(random) {
    const bytes = randomBytes(random, 2 + random.below(oneIn(random, 10) ? 1500 : 200));
    // Small numbers meet a log that is there; and a program of them reaches the rarer steps as often.
    if (!oneIn(random, 4)) for (let at = 2; at < bytes.length; at++) bytes[at] = (bytes[at] ?? 0) % 80;
    return { kind: 'program', bytes };
  },

  run({ bytes }: Input) {
    const program = new Program(bytes);
    const node = program.start();
    while (!program.isAtEnd) program.step(node);
    const ready = node.core.hasReady() ? node.core.ready() : undefined;
    assert.ok((ready?.messages.length ?? 0) < 10_000, 'answers pile up');
    if (ready === undefined) return;
    node.log.write(ready);
    node.core.advance(ready);
    node.rest();
  },
};

const numbers = [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 50 - 1, 2 ** 50, 2 ** 50 + 1, 2 ** 53 - 1, 2 ** 53, -1, 0.5];
const oddNumbers = [Number.NaN, Number.POSITIVE_INFINITY];

class Program {
  readonly #bytes: Buffer;
  #at = 0;
  #context = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  start(): LoneCore {
    const shape = this.#byte();
    const log = [[], [1], [1, 1, 2], [1, 2, 2, 3, 3]][shape % 4] ?? [];
    const term = log.at(-1) ?? 0;
    const commit = (shape >> 2) % (log.length + 1);
    const readMode = shape >= 128 ? 'lease' : 'quorum';
    const configuration = shape % 16 === 15 ? emptyConfiguration : votersOf('1', '2', '3');
    const node = new LoneCore(
      { configuration, log, term, commit },
      { readMode, inflightMessagesMax: 3, uncommittedBytesMax: 200 },
    );
    // Who was led before it started may not campaign at once where leases are trusted.
    const canLead = readMode === 'quorum' && configuration !== emptyConfiguration;
    return canLead && (shape >> 4) % 4 === 0 ? node.lead() : node;
  }

  step(node: LoneCore): void {
    const { core } = node;
    const what = this.#byte();
    switch (what % 23) {
      case 0:
        core.tick();
        return;
      case 1:
        for (let ticks = this.#byte() % 32; ticks > 0; ticks--) core.tick();
        return;
      case 2:
      case 3:
        node.rest();
        return;
      case 4:
        if (core.hasReady()) node.work();
        return;
      case 5:
        this.#stepMeanwhile(node);
        return;
      case 6:
        core.propose([Buffer.alloc(this.#byte() % 64), Buffer.alloc(1)]);
        return;
      case 7:
        core.campaign();
        return;
      case 8:
        core.requestReadIndex(++this.#context);
        return;
      case 9:
        core.transferLeadership(this.#member());
        return;
      case 10:
        core.reportUnreachable(this.#member());
        return;
      case 11:
        if (this.#byte() % 8 === 0) core.stepDown();
        else core.tellCommit();
        return;
      case 12:
        core.proposeConfiguration({ voters: this.#members(), learners: this.#members(), context: Buffer.alloc(3) });
        return;
      case 13:
        if (core.appliedIndex >= node.log.firstIndex()) node.log.dropTo(core.appliedIndex);
        return;
      case 14:
        this.#installSnapshot(node);
        return;
      default:
        core.step(this.#message(core.term));
    }
  }

  #installSnapshot({ core }: LoneCore): void {
    const configuration = this.#configuration();
    if (configurationFault(configuration) !== undefined) return;
    const index = core.commitIndex + (this.#byte() % 4);
    core.installSnapshot({ index, term: Math.max(1, core.term - (this.#byte() % 2)), configuration });
  }

  #configuration(): Configuration {
    const [voters, learners] = [this.#members(), this.#members()];
    const votersOutgoing = this.#flag() ? [] : this.#members();
    return { voters, votersOutgoing, learners, learnersNext: [], autoLeave: votersOutgoing.length > 0 };
  }

  #members(): string[] {
    const byte = this.#byte();
    return ['1', '2', '3', '4', '9'].filter((_, position) => (byte >> position) % 2 === 1);
  }

  /** Input while a `Ready` is out. */
  #stepMeanwhile(node: LoneCore): void {
    if (!node.core.hasReady()) return;
    const ready = node.core.ready();
    for (let count = this.#byte() % 4; count > 0; count--) node.core.step(this.#message(node.core.term));
    if (this.#byte() % 2 === 0) node.core.tick();
    node.log.write(ready);
    node.core.advance(ready);
  }

  #byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  #member(): string {
    return ['2', '3', '2', '3', '1', '9', ''][this.#byte() % 7] ?? '2';
  }

  #number(): number {
    const byte = this.#byte();
    if (byte < 230) return byte % 9;
    return [...numbers, ...oddNumbers][byte - 230] ?? 3;
  }

  #flag(): boolean {
    return this.#byte() % 2 === 0;
  }

  /** Near the core's own, or it would not be looked at. */
  #term(current: number): number {
    const byte = this.#byte();
    if (byte % 8 === 7) return this.#number();
    return Math.max(0, current + ([0, 0, 0, 0, 1, 1, -1][byte % 7] ?? 0));
  }

  #message(current: number): Message {
    const number = () => this.#number();
    const ends = { from: this.#member(), to: this.#byte() === 77 ? '3' : '1' };
    const term = this.#term(current);
    switch (this.#byte() % 15) {
      case 0:
        return { type: 'preVote', ...ends, term, lastLogIndex: number(), lastLogTerm: number() };
      case 1:
        return { type: 'preVoteResponse', ...ends, term, granted: this.#flag() };
      case 2: {
        const [lastLogIndex, lastLogTerm] = [number(), number()];
        return { type: 'requestVote', ...ends, term, lastLogIndex, lastLogTerm, transfer: this.#flag() };
      }
      case 3:
        return { type: 'requestVoteResponse', ...ends, term, granted: this.#flag() };
      case 4:
      case 5:
        return { type: 'appendEntriesResponse', ...ends, term, result: { accepted: true, matchIndex: number() } };
      case 6: {
        const rejection = {
          rejectedIndex: number(),
          hintIndex: number(),
          hintTerm: number(),
          needsSnapshot: this.#flag(),
        };
        const result = { accepted: false, ...rejection } as const;
        return { type: 'appendEntriesResponse', ...ends, term, result };
      }
      case 7:
        return {
          type: 'heartbeat',
          ...ends,
          term,
          commit: number(),
          commitTerm: number(),
          readRound: number(),
        };
      case 8:
        return { type: 'heartbeatResponse', ...ends, term, readRound: number(), suspectTerm: number() };
      case 9:
        return { type: 'readIndex', ...ends, term, context: number() };
      case 10:
        return { type: 'readIndexResponse', ...ends, term, context: number(), index: number() };
      case 11:
        return { type: 'timeoutNow', ...ends, term };
      case 12:
        return { type: 'installSnapshot', ...ends, term, index: number() };
      default: {
        const [previousIndex, previousTerm, commit] = [number(), number(), number()];
        const entries = this.#entries(previousIndex, previousTerm, term);
        return { type: 'appendEntries', ...ends, term, previousIndex, previousTerm, commit, entries };
      }
    }
  }

  /** What no member could have written is not written either, but cut. */
  #configurationData(): Buffer {
    const configuration = this.#configuration();
    const isSound = configurationFault(configuration) === undefined;
    const data = encodeConfigurationData(isSound ? configuration : votersOf('2'), Buffer.alloc(0));
    return isSound ? data : data.subarray(0, this.#byte() % data.length);
  }

  #entries(previousIndex: number, previousTerm: number, termMax: number): Entry[] {
    let term = Math.max(1, previousTerm);
    return Array.from({ length: this.#byte() % 5 }, (_, i) => {
      const byte = this.#byte();
      if (byte % 3 === 0 && term < termMax) term++;
      const index = previousIndex + 1 + i + (byte === 78 ? 1 : 0);
      if (byte % 7 === 6) return { term, index, type: 'configuration', data: this.#configurationData() };
      const type = byte % 5 === 0 ? 'noop' : 'command';
      return { term, index, type, data: Buffer.alloc(type === 'noop' ? 0 : byte % 50) };
    });
  }
}
