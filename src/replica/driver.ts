import { assert } from '../base/assert.ts';
import type { CancelTimer, Clock } from '../base/clock.ts';
import type { CommandResult, Store } from '../mvcc/index.ts';
import {
  decodeConfigurationData,
  type Entry,
  type HardState,
  type LogIndex,
  type Message,
  type RaftCore,
  type ReadState,
  type Ready,
  type Snapshot,
  type SnapshotOffer,
} from '../raft/index.ts';
import type { RaftLog } from '../storage/index.ts';
import type { Transport } from '../transport/index.ts';
import type { ReplicaMetrics } from './metrics.ts';
import type { Truncation } from './truncation.ts';

/**
 * How long followers may have to wait to be told of a commit when nothing else is sent to them. Telling them at once
 * costs two messages and two answers for each write of a lone client; within a burst of writes the next append tells it.
 */
const commitNoticeMs = 5;

const noResults: readonly CommandResult[] = [];

/** What wakes the rest of the replica; a closed list. */
export interface DriverEvents {
  /** The turn begins: hand the core what was collected since the last one. */
  onTurn(): void;
  /** The state machine has taken in a committed entry; one result for each of its commands. */
  onApplied(entry: Entry, results: readonly CommandResult[]): void;
  /** The committed entries of one `Ready` were applied. */
  onAppliedAll(): void;
  onReadState(state: ReadState): void;
  /** Role, term or leader changed. */
  onLeadershipChange(): void;
  /** What is committed about the members changed. */
  onMembersChange(): void;
  onSnapshotOffer(offer: SnapshotOffer): void;
  /** The member cannot vouch for itself any more and has to stop. Called once. */
  onFailure(reason: unknown): void;
}

/** Where a store comes from that takes the place of this member's. */
export interface IncomingSnapshots {
  /** One that is whole and verified. */
  readonly received: Snapshot | undefined;
  settle(isInstalled: boolean): Promise<void>;
  /** Puts it in the place of the store. The log begins behind it already. */
  exchangeStore(): Promise<void>;
}

export interface DriverOptions {
  readonly groupId: number;
  readonly core: RaftCore;
  readonly log: RaftLog;
  readonly store: Store;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly electionTimeoutMs: number;
  /** Applied changes that are not durable; above it applying waits for the disk. */
  readonly bufferedBytesMax: number;
  readonly snapshots: IncomingSnapshots;
  readonly truncation: Truncation;
  /** Entries behind that index are needed by members that are being fed. */
  readonly neededFrom: () => LogIndex | undefined;
  readonly metrics: ReplicaMetrics;
}

/**
 * Turns the core's `Ready` into writes, messages and applied entries. Input is collected until the end of a turn of
 * the event loop, so that everything that arrived together becomes one batch with one fsync; what arrives while that
 * is under way becomes the next.
 *
 *     step, propose ─▶ wake ─▶ ready ─┬▶ messages                                   ┌▶ messagesAfterPersist
 *                                     ├▶ persist (one synced batch) ───────────────┴─▶ advance ─▶ next ready
 *                                     └▶ apply what is committed, meanwhile
 *
 * **Invariant:** nothing that promises durability leaves this member before the batch behind it has resolved. A member
 * whose disk hangs therefore falls silent by itself.
 */
export class Driver {
  readonly #options: DriverOptions;
  readonly #events: DriverEvents;
  #state: 'idle' | 'scheduled' | 'turning' | 'stopped' = 'idle';
  #wokenWhileTurning = false;
  #hardState: HardState;
  #persistedHardState: HardState;
  #persistStartedMs: number | undefined;
  #leadership = '';
  #cancelCommitNotice: CancelTimer | undefined;
  #turnEnded: (() => void)[] = [];

  constructor(options: DriverOptions, events: DriverEvents) {
    this.#options = options;
    this.#events = events;
    const { hardState } = options.log;
    const { appliedIndex } = options.store;
    // What is applied is committed, also where the log was not told so before the member stopped.
    this.#hardState = hardState.commit < appliedIndex ? { ...hardState, commit: appliedIndex } : hardState;
    this.#persistedHardState = hardState;
  }

  step(messages: readonly Message[]): void {
    if (this.#state === 'stopped') return;
    for (const message of messages) this.#options.core.step(message);
    this.wake();
  }

  /** One tick of the core. A member that has been waiting for its own disk for too long neither leads nor campaigns. */
  tick(): void {
    if (this.#state === 'stopped') return;
    const { core } = this.#options;
    if (this.isDiskStalled()) {
      if (core.role === 'leader') core.stepDown();
    } else {
      core.tick();
    }
    this.#noticeLeadershipChange();
    this.wake();
  }

  /** Makes sure that a turn follows. */
  wake(): void {
    if (this.#state === 'turning') this.#wokenWhileTurning = true;
    if (this.#state !== 'idle') return;
    this.#state = 'scheduled';
    this.#options.clock.endOfTurn(() => this.#run());
  }

  /** Milliseconds that the present write to the log has taken; 0 if there is none. */
  persistingForMs(): number {
    return this.#persistStartedMs === undefined ? 0 : this.#options.clock.monotonicMs() - this.#persistStartedMs;
  }

  isDiskStalled(): boolean {
    return this.persistingForMs() > this.#options.electionTimeoutMs;
  }

  /** Takes no more input; resolves when the turn under way has ended. */
  async stop(): Promise<void> {
    const turning = this.#state === 'turning';
    this.#cancelCommitNotice?.();
    this.#state = 'stopped';
    if (turning) await new Promise<void>((resolve) => this.#turnEnded.push(resolve));
  }

  async #run(): Promise<void> {
    if (this.#state !== 'scheduled') return;
    this.#state = 'turning';
    try {
      await this.#turn();
      if (this.#state === 'turning') this.#state = 'idle';
      if (this.#wokenWhileTurning) this.wake();
    } catch (reason) {
      this.#state = 'stopped';
      this.#events.onFailure(reason);
    }
    this.#wokenWhileTurning = false;
    for (const ended of this.#turnEnded) ended();
    this.#turnEnded = [];
  }

  async #turn(): Promise<void> {
    const { core, clock } = this.#options;
    this.#events.onTurn();
    await this.#offerSnapshot();
    while (core.hasReady() && this.#state === 'turning') {
      const ready = core.ready();
      await this.#process(ready);
      core.advance(ready);
      for (const state of ready.readStates) this.#events.onReadState(state);
      this.#noticeLeadershipChange();
      // A turn that did not wait for the disk lets new input in, so that a long replay does not hold up heartbeats.
      if (!ready.mustPersist && core.hasReady()) await new Promise<void>((resolve) => clock.endOfTurn(resolve));
      this.#events.onTurn();
      await this.#offerSnapshot();
    }
    this.#noticeLeadershipChange();
    this.#awaitCommitNotice();
  }

  async #offerSnapshot(): Promise<void> {
    const { core, snapshots } = this.#options;
    const { received } = snapshots;
    if (received !== undefined && !core.installSnapshot(received)) await snapshots.settle(false);
  }

  #awaitCommitNotice(): void {
    const { core, clock } = this.#options;
    if (this.#cancelCommitNotice !== undefined || !core.isCommitUntold(core.commitIndex)) return;
    const { commitIndex } = core;
    this.#cancelCommitNotice = clock.setTimer(commitNoticeMs, () => this.#tellCommit(commitIndex));
  }

  /** Unless appends have told it meanwhile. What was committed since then has its own time to wait. */
  #tellCommit(index: LogIndex): void {
    const { core } = this.#options;
    this.#cancelCommitNotice = undefined;
    if (!core.isCommitUntold(index)) {
      this.#awaitCommitNotice();
      return;
    }
    core.tellCommit();
    this.wake();
  }

  async #process(ready: Ready): Promise<void> {
    const { groupId, transport } = this.#options;
    if (ready.hardState !== undefined) this.#hardState = ready.hardState;
    if (ready.messages.length > 0) transport.send(groupId, ready.messages);
    if (ready.snapshotOffer !== undefined) this.#events.onSnapshotOffer(ready.snapshotOffer);
    if (ready.snapshot !== undefined) await this.#install(ready.snapshot);
    else if (ready.mustPersist) await Promise.all([this.#persist(ready.entries), this.#apply(ready.committedEntries)]);
    else if (ready.committedEntries.length > 0) await this.#apply(ready.committedEntries);
    if (this.#state === 'stopped') return;
    if (ready.messagesAfterPersist.length > 0) transport.send(groupId, ready.messagesAfterPersist);
  }

  /** The log's batch is the switch: from then on the store has to hold what the snapshot does. */
  async #install(snapshot: Snapshot): Promise<void> {
    const { store, snapshots } = this.#options;
    await this.#persist([], snapshot);
    await snapshots.exchangeStore();
    await snapshots.settle(true);
    assert(store.appliedIndex === snapshot.index, 'the store that was installed is not the one that was fetched');
    this.#events.onMembersChange();
    this.#events.onAppliedAll();
  }

  async #persist(entries: readonly Entry[], snapshot?: Snapshot): Promise<void> {
    const { clock, core, log, metrics, store, truncation, neededFrom } = this.#options;
    const hardState = this.#hardState;
    const startedMs = clock.monotonicMs();
    this.#persistStartedMs = startedMs;
    for (const { index, data } of entries) truncation.noteAppended(index, data.length);
    const dropTo = truncation.dropTo({
      firstIndex: log.firstIndex(),
      durableIndex: store.durableIndex,
      followers: () => core.status().followers,
      neededFrom,
    });
    await log.persist({
      hardState: hardState === this.#persistedHardState ? undefined : hardState,
      entries,
      snapshot,
      dropTo: snapshot === undefined ? dropTo : undefined,
    });
    this.#persistStartedMs = undefined;
    this.#persistedHardState = hardState;
    metrics.persisted(entries.length, clock.monotonicMs() - startedMs);
  }

  async #apply(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    const { store, clock, metrics, bufferedBytesMax } = this.#options;
    const startedMs = clock.monotonicMs();
    for (const entry of entries) {
      // After a restart the core starts from the durable applied index, so that nothing comes twice.
      assert(entry.index === store.appliedIndex + 1, () => `applied ${store.appliedIndex}, then came ${entry.index}`);
      let results = noResults;
      const commands = commandsOf(entry);
      if (commands === undefined) {
        store.apply(entry.index, undefined);
      } else {
        const applied = store.apply(entry.index, commands, { term: entry.term });
        results = applied instanceof Promise ? await applied : applied;
      }
      if (entry.type === 'configuration') this.#events.onMembersChange();
      this.#events.onApplied(entry, results);
      if (store.bufferedBytes > bufferedBytesMax) await store.makeRoom(bufferedBytesMax);
    }
    metrics.applied(entries.length, clock.monotonicMs() - startedMs);
    this.#events.onAppliedAll();
  }

  #noticeLeadershipChange(): void {
    const { core } = this.#options;
    const leadership = `${core.role} ${core.term} ${core.leader ?? ''} ${core.isTransferring}`;
    if (leadership === this.#leadership) return;
    this.#leadership = leadership;
    this.#events.onLeadershipChange();
  }
}

/** What an entry has for the state machine. */
function commandsOf({ type, data }: Entry): Uint8Array | undefined {
  if (type === 'noop') return undefined;
  if (type === 'command') return data;
  const context = decodeConfigurationData(data)?.context;
  assert(context !== undefined, 'a configuration entry that cannot be read was committed');
  return context.length === 0 ? undefined : context;
}
