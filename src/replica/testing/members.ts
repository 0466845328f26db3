import { MemoryLevel } from 'memory-level';
import { seededRandom } from '../../base/random.ts';
import { openStore, type Store } from '../../mvcc/index.ts';
import type { Configuration, MemberId } from '../../raft/index.ts';
import { openRaftLog, type PersistBatch, type RaftLog } from '../../storage/index.ts';
import { memoryReceipts } from '../../storage/testing/memory-receipts.ts';
import { AutoCompaction, type AutoCompactionOptions } from '../auto-compaction.ts';
import { Integrity } from '../integrity.ts';
import { ReplicaKvService } from '../kv-service.ts';
import { ReplicaLeaseService } from '../lease-service.ts';
import { noMetrics } from '../metrics.ts';
import { Quota } from '../quota.ts';
import { Replica } from '../replica.ts';
import { ReplicaWatchService } from '../watch-service.ts';
import { MemoryNetwork } from './memory-network.ts';
import { PausableProcess } from './pausable-process.ts';
import { VirtualClock } from './virtual-clock.ts';

export const electionTimeoutMs = 1000;

export interface TestMember {
  readonly id: MemberId;
  readonly replica: Replica;
  readonly store: Store;
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
  /** Of each member's own configuration. */
  readonly quotaBytes?: (member: MemberId) => number;
  /** Wraps a member's store, to make it go wrong. */
  readonly storeOf?: (member: MemberId, store: Store) => Store;
}

/** What outlives a member's process. */
interface Disk {
  readonly log: MemoryLevel<Buffer, Buffer>;
  readonly receipts: ReturnType<typeof memoryReceipts>;
  data: MemoryLevel<Buffer, Buffer>;
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
  readonly #disks = new Map<MemberId, Disk>();
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
    const disk = this.#disks.get(member.id);
    if (disk !== undefined && state === 'anew') disk.data = new MemoryLevel<Buffer, Buffer>(bytes);
    const next = await this.#start(member.id, duties);
    this.all[this.all.indexOf(member)] = next;
    return next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.all) await close(member);
  }

  #diskOf(id: MemberId): Disk {
    const disk = this.#disks.get(id) ?? {
      log: new MemoryLevel<Buffer, Buffer>(bytes),
      receipts: memoryReceipts(),
      data: new MemoryLevel<Buffer, Buffer>(bytes),
    };
    this.#disks.set(id, disk);
    return disk;
  }

  async #start(id: MemberId, duties: TestDuties): Promise<TestMember> {
    const ids = this.#ids;
    const databases = this.#diskOf(id);
    const process = new PausableProcess();
    const clock = process.clockOver(this.clock);
    const configuration: Configuration = {
      voters: ids,
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    };
    const log = await openRaftLog({
      groupId: 1,
      clusterId: 'c1',
      memberId: id,
      database: databases.log,
      receipts: databases.receipts.open(),
      clock,
      bootstrap: configuration,
      cacheBytes: 1024 * 1024,
    });
    const opened = await openStore({
      database: databases.data,
      groupId: 1,
      clock,
      bootstrapMembers: ids.map((member) => ({
        id: member,
        name: `node${member}`,
        peerUrls: [],
        clientUrls: [],
        version: '',
      })),
      flushIntervalMs: 50,
      flushChangesMax: 1000,
      flushBytesMax: 4 * 1024 * 1024,
    });
    const store = duties.storeOf?.(id, opened) ?? opened;
    const disk = new HangingDisk();
    const failures: unknown[] = [];
    const replica = new Replica({
      groupId: 1,
      clusterId: 'c1',
      memberId: id,
      log: disk.over(log),
      store,
      transport: process.transportOver(this.network.transportOf(id)),
      clock,
      random: seededRandom(this.#seed + this.#starts++),
      heartbeatIntervalMs: 100,
      electionTimeoutMs,
      metrics: noMetrics,
      logger: { info: () => undefined, warn: () => undefined },
      onFailure: (reason) => failures.push(reason),
    });
    const kv = new ReplicaKvService(replica, { valueBytesMax: 1024 * 1024, pageBytesMax: 1024 * 1024 });
    const leases = new ReplicaLeaseService(replica);
    const watch = new ReplicaWatchService(replica);
    if (duties.autoCompaction !== undefined) new AutoCompaction(replica, duties.autoCompaction);
    if (duties.quotaBytes !== undefined) new Quota(replica, duties.quotaBytes(id));
    new Integrity(replica, { intervalMs: duties.integrityIntervalMs ?? 0 });
    replica.start();
    return { id, replica, store, kv, leases, watch, process, disk, failures };
  }
}

async function close({ replica, store, disk, process, watch }: TestMember): Promise<void> {
  process.resume();
  disk.resume();
  watch.close();
  await replica.stop();
  await store.close();
  await replica.options.log.close();
}

const bytes = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
