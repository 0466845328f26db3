import { assert } from '../../base/assert.ts';
import { type Random, seededRandom } from '../../base/random.ts';
import { emptyConfiguration } from '../configuration.ts';
import { RaftCore } from '../raft.ts';
import type {
  Configuration,
  Entry,
  HardState,
  LogIndex,
  MemberId,
  Message,
  Ready,
  Snapshot,
  SnapshotOffer,
} from '../types.ts';
import { type CoreOptions, coreOptions, votersOf } from './core.ts';
import { MemoryLog } from './memory-log.ts';

interface Fetched {
  readonly snapshot: Snapshot;
  readonly applied: readonly Entry[];
}

/** One member with its disk. The work of a `Ready` is begun and finished in separate steps, so that it can be slow. */
export class TestMember {
  readonly id: MemberId;
  readonly log: MemoryLog;
  /** The state machine; it is durable at once. */
  applied: readonly Entry[] = [];
  core: RaftCore;
  /** The last one that it got. */
  offer: SnapshotOffer | undefined;
  isUp = true;
  readonly #options: CoreOptions;
  readonly #random: Random;
  #outstanding: Ready | undefined;
  #unwritten: HardState | undefined;
  /** What was fetched, until it is installed. */
  #fetched: Fetched | undefined;
  #isInstalling = false;

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
    this.offer = ready.snapshotOffer ?? this.offer;
    return ready.messages;
  }

  /** The disk is done; returns what has waited for it. */
  finish(): readonly Message[] {
    const ready = this.#outstanding;
    assert(ready !== undefined, `${this.id} has no Ready to finish`);
    this.#outstanding = undefined;
    this.#write(ready);
    this.applied = [...this.applied, ...ready.committedEntries];
    this.core.advance(ready);
    return ready.messagesAfterPersist;
  }

  /** Drops the beginning of the log, as far as it was applied. Only while no `Ready` is out. */
  truncate(index: LogIndex): void {
    assert(!this.isBusy, 'the log is truncated between two Readys');
    if (index >= this.log.firstIndex() && index <= this.applied.length) this.log.dropTo(index);
  }

  /** Takes a copy of what another member has applied. */
  fetch(from: TestMember): void {
    const index = from.applied.length;
    const snapshot = { index, term: from.log.term(index) ?? 0, configuration: from.log.configurationAt(index) };
    this.#fetched = { snapshot, applied: from.applied };
  }

  get hasFetched(): boolean {
    return this.#fetched !== undefined;
  }

  /** The core has it, and the disk has not. */
  get isInstalling(): boolean {
    return this.#isInstalling;
  }

  /** Only while no `Ready` is out. */
  install(): boolean {
    const fetched = this.#fetched;
    assert(fetched !== undefined, 'nothing was fetched');
    const isTaken = this.core.installSnapshot(fetched.snapshot);
    if (!isTaken) this.#fetched = undefined;
    this.#isInstalling = isTaken;
    return isTaken;
  }

  /** What was not written is gone; but it may have been, as the last thing. The state machine counts as durable. */
  crash({ isWriteDone = false } = {}): void {
    this.isUp = false;
    if (isWriteDone && this.#outstanding !== undefined) this.#write(this.#outstanding);
    this.#outstanding = undefined;
    this.#unwritten = undefined;
    this.#fetched = undefined;
    this.#isInstalling = false;
    this.offer = undefined;
  }

  restart(): void {
    this.isUp = true;
    this.core = this.#start();
  }

  #write(ready: Ready): void {
    const { entries, snapshot, mustPersist } = ready;
    this.#unwritten = ready.hardState ?? this.#unwritten;
    if (!mustPersist) return;
    this.log.write({ entries, snapshot, hardState: this.#unwritten });
    this.#unwritten = undefined;
    if (snapshot === undefined) return;
    assert(this.#fetched !== undefined, 'a snapshot that nobody has fetched');
    assert(this.#fetched.snapshot === snapshot, 'another snapshot than the one that was fetched');
    this.applied = this.#fetched.applied;
    this.#fetched = undefined;
    this.#isInstalling = false;
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
  /** Who voted for a member in a term, as it was told; by `term member`. */
  readonly votes = new Map<string, Set<MemberId>>();
  readonly #cut = new Set<string>();
  readonly #options: CoreOptions;

  constructor(
    ids: readonly MemberId[],
    options: CoreOptions & { readonly learners?: readonly MemberId[] } = {},
    seed = 1,
  ) {
    const { learners = [], ...rest } = options;
    this.random = seededRandom(seed);
    this.#options = rest;
    const configuration = { ...votersOf(...ids), learners };
    for (const id of [...ids, ...learners]) this.#add(id, configuration);
  }

  /** Starts a member that knows of nobody, to be added to the configuration. */
  join(id: MemberId): TestMember {
    return this.#add(id, emptyConfiguration);
  }

  /** Fetches and installs what members are offered, where that can be done. */
  serveOffers(): void {
    for (const member of this.members.values()) {
      const from = this.members.get(member.offer?.from ?? '');
      if (!member.isUp || member.isBusy || from?.isUp !== true || member.offer === undefined) continue;
      if (from.applied.length < member.offer.index) continue;
      member.offer = undefined;
      member.fetch(from);
      member.install();
    }
  }

  #add(id: MemberId, configuration: Configuration): TestMember {
    assert(!this.members.has(id), `there is a member ${id} already`);
    const member = new TestMember(id, configuration, this.#options, this.random);
    this.members.set(id, member);
    return member;
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
    if (!to?.isUp) return;
    if (message.type === 'requestVoteResponse' && message.granted) {
      const name = `${message.term} ${message.to}`;
      this.votes.set(name, (this.votes.get(name) ?? new Set()).add(message.from));
    }
    to.core.step(message);
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
      this.serveOffers();
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
