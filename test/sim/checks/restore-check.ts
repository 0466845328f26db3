import { BalsaError } from '../../../src/contract/errors.ts';
import { fillFromBackup, restoredIdentity } from '../../../src/server/restore.ts';
import { readBackup } from '../../../src/storage/index.ts';
import { printable } from '../../model/printable.ts';
import { inWorld } from '../in-world.ts';
import type { TakenBackup } from '../world/backups.ts';
import type { Running, SimulatedMember } from '../world/member.ts';
import { peerUrlOf } from '../world/peer-url.ts';
import { SimulatedProcess } from '../world/process.ts';
import type { World } from '../world/world.ts';
import { Violation } from './violation.ts';

const bumpRevision = 1_000_000_000;
const everything = {
  range: { start: new Uint8Array(), end: undefined },
  limit: 0,
  keysOnly: false,
  countOnly: false,
  sort: 'key',
  order: 'asc',
} as const;
const options = { timeoutMs: 5000 };
const retryMs = 200;

/**
 * A backup, restored by the code of `balsa snapshot restore` into machines of a new cluster beside the old one, which goes
 * on: it has everything that anybody had been told when it was asked for, and just what there was at its revision; the new
 * cluster serves, from a higher revision on; and neither talks to the other. Throws a `Violation`.
 */
export async function checkRestore(world: World, backup: TakenBackup): Promise<void> {
  const check = new RestoreCheck(world, backup);
  await check.run();
}

class RestoreCheck {
  readonly #world: World;
  readonly #backup: TakenBackup;
  readonly #revision: number;

  constructor(world: World, backup: TakenBackup) {
    this.#world = world;
    this.#backup = backup;
    this.#revision = backup.revision + bumpRevision;
  }

  async run(): Promise<void> {
    const { revision, told } = this.#backup;
    if (revision < told) fail(`is that of revision ${revision}, and ${told} had been told before it was asked for`);
    const members = await this.#restoreAll();
    for (const member of members) member.start();
    const { scheduler, network, present } = this.#world;
    network.calm([...present, ...members].map(({ id }) => id));
    const areUp = (): boolean => members.every(({ running }) => running !== undefined);
    await scheduler.runUntil(scheduler.nowMs + options.timeoutMs, areUp);
    for (const { id, running } of members) {
      if (running === undefined) fail(`is not opened by ${id}`);
      else await this.#checkContent(id, running);
    }
    for (const member of members) await inWorld(scheduler, this.#checkService(member));
    this.#checkApart(members);
    for (const member of members) member.crash();
  }

  async #restoreAll(): Promise<readonly SimulatedMember[]> {
    const { scheduler } = this.#world;
    const chance = this.#world.chance.of('restore');
    const names = ['restored1', 'restored2', 'restored3'].slice(0, chance.pick([1, 3]));
    const initialCluster = names.map((name) => ({ name, peerUrls: [peerUrlOf(name)] }));
    const restored: SimulatedMember[] = [];
    const clusterIds = new Set<string>();
    for (const name of names) {
      const reader = await readBackup([this.#backup.bytes]);
      const request = { name, initialCluster, initialClusterToken: 'restored', dataDir: name, bumpRevision };
      const identity = restoredIdentity(request, reader.manifest);
      const { clusterId, memberId } = identity;
      clusterIds.add(clusterId);
      if (this.#world.members.some(({ id }) => id === memberId)) fail(`brings back the id ${memberId}`);
      const member = this.#world.makeStranger(memberId, name, clusterId, (what) =>
        scheduler.stop(new Violation('restore', `${name} stops: ${what}`)),
      );
      const clock = new SimulatedProcess(scheduler, 0);
      const filling = fillFromBackup(reader, { files: member.disk.filesFor(clock), clock, identity, bumpRevision });
      const revision = await inWorld(scheduler, filling);
      if (revision !== this.#revision) fail(`of revision ${this.#backup.revision} begins at ${revision}`);
      clock.kill();
      restored.push(member);
    }
    if (clusterIds.size !== 1 || clusterIds.has('c1')) fail(`makes the clusters ${[...clusterIds].join(' ')}`);
    return restored;
  }

  async #checkContent(id: string, { state }: Running): Promise<void> {
    const { scheduler, model } = this.#world;
    const view = state.store.readView();
    const { kvs, count } = await inWorld(scheduler, view.list({ ...everything, revision: view.revision }, 1e9));
    await inWorld(scheduler, view.close());
    const expected = model.everything.range({ ...everything, revision: this.#backup.revision });
    const told = printable({ kvs, count });
    const right = printable(expected.kind === 'done' ? { kvs: expected.kvs, count: expected.count } : expected);
    if (told !== right) fail(`of revision ${this.#backup.revision} holds on ${id}\n${told}, not\n${right}`);
    if (state.store.compactRevision < this.#revision) fail(`is compacted to ${state.store.compactRevision} only`);
  }

  /** Through that member; a new cluster has to elect somebody first. */
  async #checkService({ id, running }: SimulatedMember): Promise<void> {
    if (running === undefined) return fail(`is gone from ${id}`);
    const key = Buffer.from('restored');
    const put = { key, value: Buffer.from(id), condition: undefined, previous: false };
    const { modRevision } = await this.#insist(() => running.kv.put(put, options));
    if (modRevision <= this.#revision) fail(`gives the revision ${modRevision} anew`);
    const { kv } = await this.#insist(() =>
      running.kv.get(key, { ...options, consistency: { level: 'linearizable' } }),
    );
    if (kv?.modRevision !== modRevision) fail(`does not give back on ${id} what was put`);
  }

  /** Machines of both clusters may find each other at the addresses of before. */
  #checkApart(members: readonly SimulatedMember[]): void {
    const { network, members: old } = this.#world;
    for (const { id } of old.filter(({ running }) => running !== undefined)) {
      for (const restored of members) {
        const objections = [network.objectionBetween(id, restored.id), network.objectionBetween(restored.id, id)];
        if (objections.some((objection) => objection?.code !== 'other_cluster'))
          fail(`lets ${id} and ${restored.id} talk`);
      }
    }
  }

  async #insist<T>(request: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await request();
      } catch (reason) {
        if (!BalsaError.from(reason).kind.retryable) throw reason;
        await new Promise<void>((resolve) => this.#world.later(retryMs, resolve));
      }
    }
  }
}

function fail(what: string): never {
  throw new Violation('restore', `a backup ${what}`);
}
