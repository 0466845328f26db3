import { MemoryLevel } from 'memory-level';
import { seededRandom } from '../../base/random.ts';
import { openStore, type Store } from '../../mvcc/index.ts';
import type { Configuration, MemberId } from '../../raft/index.ts';
import { openRaftLog, type PersistBatch, type RaftLog } from '../../storage/index.ts';
import { memoryReceipts } from '../../storage/testing/memory-receipts.ts';
import { ReplicaKvService } from '../kv-service.ts';
import { noMetrics } from '../metrics.ts';
import { Replica } from '../replica.ts';
import { MemoryNetwork } from './memory-network.ts';
import { VirtualClock } from './virtual-clock.ts';

export const electionTimeoutMs = 1000;

export interface TestMember {
  readonly id: MemberId;
  readonly replica: Replica;
  readonly store: Store;
  readonly kv: ReplicaKvService;
  readonly disk: HangingDisk;
  readonly failures: unknown[];
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
      configuration: log.configuration,
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

  static async start(count: number, seed = 1): Promise<TestMembers> {
    const members = new TestMembers();
    const ids = Array.from({ length: count }, (_, i) => (i + 1).toString(16));
    for (const [i, id] of ids.entries()) members.all.push(await members.#start(id, ids, seed + i));
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

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { replica, store, disk } of this.all) {
      disk.resume();
      await replica.stop();
      await store.close();
      await replica.options.log.close();
    }
  }

  async #start(id: MemberId, ids: readonly MemberId[], seed: number): Promise<TestMember> {
    const bytes = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
    const clock = this.clock;
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
      database: new MemoryLevel<Buffer, Buffer>(bytes),
      receipts: memoryReceipts().open(),
      clock,
      bootstrap: configuration,
      cacheBytes: 1024 * 1024,
    });
    const store = await openStore({
      database: new MemoryLevel<Buffer, Buffer>(bytes),
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
    const disk = new HangingDisk();
    const failures: unknown[] = [];
    const replica = new Replica({
      groupId: 1,
      clusterId: 'c1',
      memberId: id,
      log: disk.over(log),
      store,
      transport: this.network.transportOf(id),
      clock,
      random: seededRandom(seed),
      heartbeatIntervalMs: 100,
      electionTimeoutMs,
      metrics: noMetrics,
      logger: { info: () => undefined, warn: () => undefined },
      onFailure: (reason) => failures.push(reason),
    });
    replica.start();
    const kv = new ReplicaKvService(replica, { valueBytesMax: 1024 * 1024, pageBytesMax: 1024 * 1024 });
    return { id, replica, store, kv, disk, failures };
  }
}
