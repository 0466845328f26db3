import { assert } from '../../base/assert.ts';
import { type Random, seededRandom } from '../../base/random.ts';
import { RaftCore } from '../raft.ts';
import type { Configuration, Entry, HardState, MemberId, Message, Ready } from '../types.ts';
import { type CoreOptions, coreOptions, votersOf } from './core.ts';
import { MemoryLog } from './memory-log.ts';

/** One member with its disk. The work of a `Ready` is begun and finished in separate steps, so that it can be slow. */
export class TestMember {
  readonly id: MemberId;
  readonly log: MemoryLog;
  readonly applied: Entry[] = [];
  core: RaftCore;
  isUp = true;
  readonly #options: CoreOptions;
  readonly #random: Random;
  #outstanding: Ready | undefined;
  #unwritten: HardState | undefined;

  constructor(id: MemberId, configuration: Configuration, options: CoreOptions, random: Random) {
    this.id = id;
    this.log = new MemoryLog(configuration);
    this.#options = options;
    this.#random = random;
    this.core = this.#start();
  }

  get isBusy(): boolean {
    return this.#outstanding !== undefined;
  }

  get hasWork(): boolean {
    return this.isUp && (this.isBusy || this.core.hasReady());
  }

  /** Takes a `Ready`; returns what may leave at once. */
  begin(): readonly Message[] {
    const ready = this.core.ready();
    assert(!isEmptyReady(ready), `${this.id}: hasReady() promised work, and the Ready is empty`);
    this.#outstanding = ready;
    return ready.messages;
  }

  /** The disk is done; returns what has waited for it. */
  finish(): readonly Message[] {
    const ready = this.#outstanding;
    assert(ready !== undefined, `${this.id} has no Ready to finish`);
    this.#outstanding = undefined;
    this.#unwritten = ready.hardState ?? this.#unwritten;
    if (ready.mustPersist) {
      this.log.write({ entries: ready.entries, hardState: this.#unwritten });
      this.#unwritten = undefined;
    }
    this.applied.push(...ready.committedEntries);
    this.core.advance(ready);
    return ready.messagesAfterPersist;
  }

  /** What was not written is gone. The state machine counts as durable. */
  crash(): void {
    this.isUp = false;
    this.#outstanding = undefined;
    this.#unwritten = undefined;
  }

  restart(): void {
    this.isUp = true;
    this.core = this.#start();
  }

  #start(): RaftCore {
    const options = coreOptions(this.id, this.#options);
    const { hardState } = this.log;
    return new RaftCore({ ...options, hardState, appliedIndex: this.applied.length }, this.log, this.#random);
  }
}

/** Members and what is on its way between them; nothing is lost unless a test says so. */
export class TestNetwork {
  readonly members = new Map<MemberId, TestMember>();
  readonly random: Random;
  onTheirWay: Message[] = [];
  readonly #cut = new Set<string>();

  constructor(
    ids: readonly MemberId[],
    options: CoreOptions & { readonly learners?: readonly MemberId[] } = {},
    seed = 1,
  ) {
    const { learners = [], ...rest } = options;
    this.random = seededRandom(seed);
    const configuration = { ...votersOf(...ids), learners };
    for (const id of [...ids, ...learners]) {
      this.members.set(id, new TestMember(id, configuration, rest, this.random));
    }
  }

  member(id: MemberId): TestMember {
    const member = this.members.get(id);
    assert(member !== undefined, `there is no member ${id}`);
    return member;
  }

  core(id: MemberId): RaftCore {
    return this.member(id).core;
  }

  /** Cuts the members off from all others, and heals what was cut before. */
  isolate(...ids: readonly MemberId[]): void {
    this.#cut.clear();
    for (const a of ids) {
      for (const b of this.members.keys()) {
        if (!ids.includes(b)) this.#cut.add(`${a} ${b}`).add(`${b} ${a}`);
      }
    }
  }

  send(messages: readonly Message[]): void {
    this.onTheirWay.push(...messages.filter(({ from, to }) => !this.#cut.has(`${from} ${to}`)));
  }

  deliver(message: Message): void {
    const to = this.members.get(message.to);
    if (to?.isUp) to.core.step(message);
  }

  /** Delivers and works until nothing is left to do. */
  settle(): void {
    for (let round = 0; round < 10_000; round++) {
      const busy = [...this.members.values()].filter(({ hasWork }) => hasWork);
      for (const member of busy) {
        if (!member.isBusy) this.send(member.begin());
        this.send(member.finish());
      }
      const messages = this.onTheirWay;
      this.onTheirWay = [];
      for (const message of messages) this.deliver(message);
      if (busy.length === 0 && messages.length === 0) return;
    }
    assert(false, 'the members do not come to rest');
  }

  tick(times = 1, ids: readonly MemberId[] = [...this.members.keys()]): void {
    for (let time = 0; time < times; time++) {
      for (const id of ids) if (this.member(id).isUp) this.core(id).tick();
      this.settle();
    }
  }

  elect(id: MemberId): void {
    this.core(id).campaign();
    this.settle();
    assert(this.core(id).role === 'leader', `${id} was not elected`);
  }

  propose(id: MemberId, ...texts: readonly string[]): void {
    const result = this.core(id).propose(texts.map((text) => Buffer.from(text)));
    assert(result.accepted, `${id} refused`);
  }
}

function isEmptyReady(ready: Ready): boolean {
  const { hardState, softState, entries, messages, messagesAfterPersist, committedEntries, readStates } = ready;
  if (ready.snapshot !== undefined || ready.snapshotOffer !== undefined) return false;
  const all = [entries, messages, messagesAfterPersist, committedEntries, readStates];
  return hardState === undefined && softState === undefined && all.every(({ length }) => length === 0);
}
