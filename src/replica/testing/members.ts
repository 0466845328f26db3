import { seededRandom } from '../../base/random.ts';
import type { Promotion } from '../../contract/members.ts';
import type { Store } from '../../mvcc/index.ts';
import { emptyConfiguration, type MemberId } from '../../raft/index.ts';
import type { PersistBatch, RaftLog } from '../../storage/index.ts';
import { AutoCompaction, type AutoCompactionOptions } from '../auto-compaction.ts';
import { ClusterVersion } from '../cluster-version.ts';
import { Integrity } from '../integrity.ts';
import { ReplicaKvService } from '../kv-service.ts';
import { ReplicaLeaseService } from '../lease-service.ts';
import { ReplicaMembershipService } from '../membership-service.ts';
import { noMetrics } from '../metrics.ts';
import { openState, type State } from '../open-state.ts';
import { Quota } from '../quota.ts';
import { Replica } from '../replica.ts';
import { ReplicaWatchService } from '../watch-service.ts';
import { MemoryFiles } from './memory-files.ts';
import { MemoryNetwork } from './memory-network.ts';
import { PausableProcess } from './pausable-process.ts';
import { VirtualClock } from './virtual-clock.ts';

export const electionTimeoutMs = 1000;

export interface TestMember {
  readonly id: MemberId;
  readonly replica: Replica;
  readonly state: State;
  readonly store: Store;
  readonly membership: ReplicaMembershipService;
  readonly kv: ReplicaKvService;
  readonly leases: ReplicaLeaseService;
  readonly watch: ReplicaWatchService;
  readonly process: PausableProcess;
  readonly disk: HangingDisk;
  readonly failures: unknown[];
}

/** What the members do beside replicating; by default nothing. */
export interface TestDuties {
  readonly autoCompaction?: AutoCompactionOptions;
  readonly integrityIntervalMs?: number;
  readonly snapshotCount?: number;
  /** The software that all of them run, as `0.2.0`, so that they agree on it; otherwise nobody says what it runs. */
  readonly software?: string;
  /** Of each member's own configuration. */
  readonly quotaBytes?: (member: MemberId) => number;
  /** Wraps a member's store, to make it go wrong. */
  readonly storeOf?: (member: MemberId, store: Store) => Store;
}

/** The real log, whose writes can be made to hang. */
export class HangingDisk {
  #released: Promise<void> = Promise.resolve();
  #release: () => void = () => undefined;

  hang(): void {
    this.#released = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  resume(): void {
    this.#release();
  }

  over(log: RaftLog): RaftLog {
    return {
      hardState: log.hardState,
      configurations: () => log.configurations(),
      firstIndex: () => log.firstIndex(),
      lastIndex: () => log.lastIndex(),
      term: (index) => log.term(index),
      entries: (low, high, bytesMax) => log.entries(low, high, bytesMax),
      persist: async (batch: PersistBatch) => {
        await this.#released;
        await log.persist(batch);
      },
      close: () => log.close(),
    };
  }
}

/** Replicas of one group, with the real core, log and store, over memory, on one virtual clock. */
export class TestMembers implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork();
  readonly all: TestMember[] = [];
  readonly #ids: readonly MemberId[];
  readonly #duties: TestDuties;
  readonly #files = new Map<MemberId, MemoryFiles>();
  readonly #seed: number;
  #starts = 0;

  private constructor(count: number, seed: number, duties: TestDuties) {
    this.#ids = Array.from({ length: count }, (_, i) => (i + 1).toString(16));
    this.#seed = seed;
    this.#duties = duties;
  }

  static async start(count: number, seed = 1, duties: TestDuties = {}): Promise<TestMembers> {
    const members = new TestMembers(count, seed, duties);
    for (const id of members.#ids) members.all.push(await members.#start(id, duties));
    return members;
  }

  /** A new member: added by the others, and started with nothing. */
  async join(through: TestMember, promote: Promotion): Promise<TestMember> {
    const count = this.all.length + 1;
    const request = { name: `node${count}`, peerUrls: [`http://node${count}:2380`], promote };
    const { member } = await this.settle(through.membership.add(request, { timeoutMs: 10_000 }));
    if (member === undefined) throw new Error('the member that was added is not there');
    const joined = await this.#start(member.id, this.#duties);
    this.all.push(joined);
    return joined;
  }

  /** Waits until a member leads and every other knows it. */
  async leader(among: readonly TestMember[] = this.all): Promise<TestMember> {
    let leader: TestMember | undefined;
    await this.clock.until('a leader that all know', () => {
      leader = among.find(({ replica }) => replica.core.role === 'leader');
      return leader !== undefined && among.every(({ replica }) => replica.core.leader === leader?.id);
    });
    if (leader === undefined) throw new Error('no leader');
    return leader;
  }

  others(member: TestMember): TestMember[] {
    return this.all.filter((other) => other !== member);
  }

  /** Lets virtual time pass until the request has ended. */
  async settle<T>(request: Promise<T>): Promise<T> {
    let ended = false;
    const end = (): void => {
      ended = true;
    };
    request.then(end, end);
    await this.clock.until('the request ends', () => ended, 120_000);
    return request;
  }

  /** Another member leads from now on. */
  async changeLeader(): Promise<TestMember> {
    const old = await this.leader();
    await this.settle(old.replica.transferLeadership());
    const next = await this.leader();
    if (next === old) throw new Error(`member ${old.id} did not hand over`);
    return next;
  }

  /** A new process of that member: over its log, and over its state or, `anew`, over an empty one. */
  async restart(member: TestMember, state: 'kept' | 'anew', duties: TestDuties = this.#duties): Promise<TestMember> {
    await close(member);
    if (state === 'anew') await this.#filesOf(member.id).setAside('data');
    const next = await this.#start(member.id, duties);
    this.all[this.all.indexOf(member)] = next;
    return next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.all) await close(member);
  }

  #filesOf(id: MemberId): MemoryFiles {
    const files = this.#files.get(id) ?? new MemoryFiles();
    this.#files.set(id, files);
    return files;
  }

  async #start(id: MemberId, duties: TestDuties): Promise<TestMember> {
    const process = new PausableProcess();
    const clock = process.clockOver(this.clock);
    const founders = this.#ids.includes(id) ? this.#ids : [];
    const state = await openState({
      groupId: 1,
      clusterId: 'c1',
      memberId: id,
      files: this.#filesOf(id),
      clock,
      bootstrap: { ...emptyConfiguration, voters: founders },
      bootstrapMembers: founders.map((member) => ({
        id: member,
        name: `node${member}`,
        peerUrls: [`http://node${member}:2380`],
        clientUrls: [],
        version: duties.software ?? '',
      })),
      logCacheBytes: 1024 * 1024,
      flushIntervalMs: 50,
      flushChangesMax: 1000,
      flushBytesMax: 4 * 1024 * 1024,
      logger: quiet,
    });
    const store = duties.storeOf?.(id, state.store) ?? state.store;
    const disk = new HangingDisk();
    const failures: unknown[] = [];
    const replica = new Replica({
      groupId: 1,
      clusterId: 'c1',
      memberId: id,
      log: disk.over(state.log),
      store,
      state,
      snapshotCount: duties.snapshotCount ?? 10_000,
      transport: process.transportOver(this.network.transportOf(id)),
      clock,
      random: seededRandom(this.#seed + this.#starts++),
      heartbeatIntervalMs: 100,
      electionTimeoutMs,
      metrics: noMetrics,
      logger: quiet,
      onFailure: (reason) => failures.push(reason),
    });
    const kv = new ReplicaKvService(replica, { valueBytesMax: 1024 * 1024, pageBytesMax: 1024 * 1024 });
    const membership = new ReplicaMembershipService(replica);
    const leases = new ReplicaLeaseService(replica);
    const watch = new ReplicaWatchService(replica);
    if (duties.autoCompaction !== undefined) new AutoCompaction(replica, duties.autoCompaction);
    if (duties.software !== undefined) new ClusterVersion(replica);
    if (duties.quotaBytes !== undefined) new Quota(replica, duties.quotaBytes(id));
    new Integrity(replica, { intervalMs: duties.integrityIntervalMs ?? 0 });
    replica.start();
    return { id, replica, state, store, membership, kv, leases, watch, process, disk, failures };
  }
}

async function close({ replica, state, disk, process, watch }: TestMember): Promise<void> {
  process.resume();
  disk.resume();
  watch.close();
  await replica.stop();
  await state.close();
}

const quiet = { info: () => undefined, warn: () => undefined };
