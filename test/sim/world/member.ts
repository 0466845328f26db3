import { InvariantViolation } from '../../../src/base/assert.ts';
import { isOlder } from '../../../src/base/software-version.ts';
import type { CommandResult, EntryContext } from '../../../src/mvcc/index.ts';
import { emptyConfiguration, type MemberId } from '../../../src/raft/index.ts';
import {
  ClusterVersion,
  Integrity,
  MemberExpelled,
  noMetrics,
  openState,
  publishCommand,
  type RaftLimits,
  Replica,
  ReplicaBackupService,
  ReplicaKvService,
  ReplicaLeaseService,
  ReplicaMembershipService,
  ReplicaWatchService,
  removedAtStart,
  type State,
  StateDiffers,
} from '../../../src/replica/index.ts';
import { protocolVersions, type Transport } from '../../../src/transport/index.ts';
import type { Chance } from './chance.ts';
import { SimulatedDisk } from './disk.ts';
import { DurableImage } from './durable-image.ts';
import type { SimulatedNetwork } from './network.ts';
import { peerUrlOf } from './peer-url.ts';
import { SimulatedProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';

export interface Founder {
  readonly id: MemberId;
  readonly name: string;
  readonly peerUrls: readonly string[];
}

export interface MemberOptions {
  readonly clusterId: string;
  readonly id: MemberId;
  readonly name: string;
  readonly software: string;
  /** Who founds the cluster, itself among them; empty for whoever joins later. */
  readonly founders: readonly Founder[];
  /** The members of the cluster, for one that does not know them; empty if nobody says. */
  readonly whomToAsk: () => readonly Founder[];
  readonly scheduler: Scheduler;
  readonly network: SimulatedNetwork;
  readonly chance: Chance;
  readonly heartbeatIntervalMs: number;
  readonly electionTimeoutMs: number;
  readonly limits: RaftLimits;
  readonly logCacheBytes: number;
  readonly flushIntervalMs: number;
  readonly integrityIntervalMs: number;
  readonly watchStepChanges: number;
  readonly snapshotCount: number;
  readonly events: MemberEvents;
}

/** A committed entry, as a member applies it. */
export interface AppliedEntry {
  readonly index: number;
  readonly term: number;
  /** Undefined: it has no commands. */
  readonly data: Uint8Array | undefined;
}

/** `contradiction`: Balsa is wrong about itself. `expelled`: the cluster goes on without this member. */
export type FailureKind = 'contradiction' | 'expelled' | 'broken';

/** What the world is told of a member. */
export interface MemberEvents {
  onStarted(member: SimulatedMember): void;
  onApplied(member: SimulatedMember, index: number, revision: number): void;
  /** With what the store said of its commands, as soon as it did. */
  onResults(member: SimulatedMember, entry: AppliedEntry, results: readonly CommandResult[]): void;
  /** A line for the story. */
  onNote(member: SimulatedMember, text: string): void;
  /** The process has ended by itself. */
  onFailure(member: SimulatedMember, reason: unknown, kind: FailureKind): void;
}

/** What runs in one process of a member. */
export interface Running {
  readonly process: SimulatedProcess;
  readonly state: State;
  readonly replica: Replica;
  readonly kv: ReplicaKvService;
  readonly leases: ReplicaLeaseService;
  readonly membership: ReplicaMembershipService;
  readonly watch: ReplicaWatchService;
  readonly backup: ReplicaBackupService;
}

const publishTimeoutMs = 5000;
export const currentSoftware = '0.2.0';
export const oldSoftware = '0.1.9';

/** A member: its disk, which stays, and its process, which comes and goes. What runs in it is the production code. */
export class SimulatedMember {
  readonly id: MemberId;
  readonly name: string;
  readonly disk: SimulatedDisk;
  readonly durable = new DurableImage();
  /** Its disk has lost something that it had acknowledged, and it is not known yet to have all of it again. */
  isDamaged = false;
  /** What is started next; members of the version before neither say nor understand what came with this one. */
  software: string;
  #isDestroyed = false;
  readonly #options: MemberOptions;
  #process: SimulatedProcess | undefined;
  #running: Running | undefined;
  #starts = 0;
  /** Told when the process ends. */
  readonly #watchers = new Set<() => void>();

  constructor(options: MemberOptions) {
    this.#options = options;
    this.id = options.id;
    this.name = options.name;
    this.software = options.software;
    this.disk = new SimulatedDisk(options.scheduler, options.chance.of('disk'));
  }

  get process(): SimulatedProcess | undefined {
    return this.#process;
  }

  /** Undefined while it is down or still opening its files. */
  get running(): Running | undefined {
    return this.#running;
  }

  get isOld(): boolean {
    return isOlder(this.software, currentSoftware);
  }

  get isUp(): boolean {
    return this.#process !== undefined;
  }

  /** Machine and disk are gone for good. */
  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  /** It abstains from elections, and will if it is started again. */
  get isSuspect(): boolean {
    return this.durable.hardState?.suspectTerm !== undefined;
  }

  /** Calls back once when the present process ends; the returned function takes that back. */
  whenGone(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  start(): void {
    if (this.#process !== undefined || this.#isDestroyed) return;
    const { scheduler, chance } = this.#options;
    this.#starts++;
    const process = new SimulatedProcess(scheduler, chance.between(0, 1e6));
    this.#process = process;
    this.#open(process).then(
      (running) => {
        if (process.isGone) return;
        this.#running = running;
        this.#options.events.onStarted(this);
        running.replica.start();
        void this.#publish(running);
      },
      (reason: unknown) => this.#fail(process, reason),
    );
  }

  /** As by kill -9 or a loss of power. */
  crash(): void {
    if (this.#process === undefined) return;
    this.#process.kill();
    this.#process = undefined;
    this.#running = undefined;
    this.#options.network.disconnect(this.id);
    this.disk.crash();
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const gone of watchers) gone();
  }

  destroy(): void {
    this.crash();
    this.#isDestroyed = true;
    this.isDamaged = true;
    this.disk.wipe();
    this.durable.reload(new Map());
  }

  /** As by SIGTERM. Resolves when the process has ended. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) {
      this.crash();
      return;
    }
    const { replica, state, process } = running;
    await replica.transferLeadership();
    replica.refuseRequests('This member is stopping');
    await replica.drain(1000);
    await replica.stop();
    await state.close().catch((reason: unknown) => this.#fail(process, reason));
    if (!process.isGone) this.crash();
  }

  async #open(process: SimulatedProcess): Promise<Running> {
    const { clusterId, id, founders, chance, events } = this.#options;
    const { disk } = this;
    const logger = {
      info: (event: string) => events.onNote(this, event),
      warn: (event: string) => events.onNote(this, event),
    };
    const state = await openState({
      groupId: 1,
      clusterId,
      memberId: id,
      files: disk.filesFor(process),
      clock: process,
      bootstrap: { ...emptyConfiguration, voters: founders.map((founder) => founder.id) },
      bootstrapMembers: founders.map((founder) => ({ ...founder, clientUrls: [], version: '' })),
      logCacheBytes: this.#options.logCacheBytes,
      flushIntervalMs: this.#options.flushIntervalMs,
      flushChangesMax: 200,
      watchStepChanges: this.#options.watchStepChanges,
      flushBytesMax: 1024 * 1024,
      logger,
    });
    this.#watchStore(state);
    const replica = new Replica({
      groupId: 1,
      clusterId,
      memberId: id,
      log: state.log,
      store: state.store,
      state,
      snapshotCount: this.#options.snapshotCount,
      transport: this.#connect(process, state),
      clock: process,
      random: chance.of(`process ${this.#starts}`),
      heartbeatIntervalMs: this.#options.heartbeatIntervalMs,
      electionTimeoutMs: this.#options.electionTimeoutMs,
      limits: this.#options.limits,
      metrics: noMetrics,
      logger,
      onFailure: (reason) => this.#fail(process, reason),
    });
    const kv = new ReplicaKvService(replica, { valueBytesMax: 1024 * 1024, pageBytesMax: 1024 * 1024 });
    const leases = new ReplicaLeaseService(replica);
    const membership = new ReplicaMembershipService(replica);
    const watch = new ReplicaWatchService(replica);
    if (!this.isOld) new ClusterVersion(replica);
    new Integrity(replica, { intervalMs: this.#options.integrityIntervalMs });
    const backup = new ReplicaBackupService(replica, { version: '0.2.0' });
    return { process, state, replica, kv, leases, membership, watch, backup };
  }

  /** As the server does. */
  #connect(process: SimulatedProcess, state: State): Transport {
    const { store } = state;
    const { clusterId, id, whomToAsk, network } = this.#options;
    const members = store.members.length > 0 ? store.members : whomToAsk();
    if (members.length === 0) throw new Error('nobody says who the members of the cluster are');
    return network.connect(id, {
      process,
      clusterId,
      peers: members.filter((one) => one.id !== id).map(({ id: peer, peerUrls }) => ({ id: peer, urls: peerUrls })),
      removed: removedAtStart(state),
      advertisedUrls: () => store.members.find((one) => one.id === id)?.peerUrls ?? [peerUrlOf(this.name)],
      softwareVersion: this.software,
      protocolMax: this.isOld ? 1 : protocolVersions.max,
      clusterVersion: () => store.clusterVersion,
      onRefused: ({ code, reason }) => {
        if (code === 'removed') this.#fail(process, new MemberExpelled(reason));
      },
    });
  }

  #watchStore({ store }: State): void {
    const apply = store.apply.bind(store) as unknown as (
      index: number,
      commands: Uint8Array | undefined,
      context: EntryContext,
    ) => ReturnType<State['store']['apply']>;
    const watched = (
      index: number,
      commands: Uint8Array | undefined,
      context: EntryContext,
    ): ReturnType<typeof apply> => {
      const results = apply(index, commands, context);
      this.#options.events.onApplied(this, index, store.revision);
      const { term } = context ?? { term: 0 };
      const tell = (told: readonly CommandResult[]): void =>
        this.#options.events.onResults(this, { index, term, data: commands }, told);
      if (results instanceof Promise) results.then(tell, () => {});
      else tell(results ?? []);
      return results;
    };
    Object.assign(store, { apply: watched });
  }

  /** Tells the cluster how clients reach it, as the server does. */
  async #publish({ replica, process }: Running): Promise<void> {
    const command = publishCommand({ id: this.id, name: this.name, clientUrls: [], version: this.software });
    while (!process.isGone && !replica.isStopping) {
      const isDone = await replica.submit(command, publishTimeoutMs).then(
        () => true,
        () => false,
      );
      if (isDone) return;
    }
  }

  #fail(process: SimulatedProcess, reason: unknown): void {
    if (process.isGone) return;
    this.crash();
    this.#options.events.onFailure(this, reason, kindOf(reason));
  }
}

function kindOf(reason: unknown): FailureKind {
  if (hasCause(reason, (error) => error instanceof MemberExpelled)) return 'expelled';
  const isContradiction = (error: Error): boolean =>
    error instanceof InvariantViolation || error instanceof StateDiffers;
  return hasCause(reason, isContradiction) ? 'contradiction' : 'broken';
}

function hasCause(reason: unknown, matches: (error: Error) => boolean): boolean {
  if (!(reason instanceof Error)) return false;
  return matches(reason) || hasCause(reason.cause, matches);
}
