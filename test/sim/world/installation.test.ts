import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openState, type State } from '../../../src/replica/index.ts';
import {
  puts,
  type SnapshotOfPuts,
  snapshotOfPuts,
  threeVoters,
} from '../../../src/replica/testing/snapshot-source.ts';
import { Chance } from './chance.ts';
import { SimulatedDisk } from './disk.ts';
import { SimulatedProcess } from './process.ts';
import { Scheduler } from './scheduler.ts';

/** What the member has before, and the index of the snapshot that it gets. */
const before = 5;
const installed = 9;

for (const [name, dropTo] of [
  ['a log from its beginning', undefined],
  ['a log whose beginning is dropped', 3],
] as const) {
  test(`installation: killed at every step of it, and of the start after that, over ${name}`, async () => {
    const source = await snapshotOfPuts(installed);
    const ends = new Set<string>();
    let isThrough = false;
    for (let steps = 0; !isThrough; steps++) {
      for (const seed of [steps, steps + 10_000]) {
        const machine = new Machine(seed);
        await machine.run((state) => fill(state, dropTo));
        isThrough = await machine.run((state) => install(state, source), steps);
        // The start after it may be killed as well, and the one after that.
        for (const chance of [seed % 40, seed % 17]) await machine.run(async () => undefined, chance);
        let end = '';
        await machine.run(async (state) => {
          end = check(state, dropTo ?? 0, `seed ${seed}, killed after ${steps} steps`);
        });
        assert(machine.disk.volumes.incoming.isEmpty, `seed ${seed}, ${steps} steps: what came in is still there`);
        ends.add(end);
      }
    }
    assert.deepEqual([...ends].sort(), ['new', 'old']);
  });
}

test('installation: a snapshot stays that comes in after the disk was full for the one before', async () => {
  const source = await snapshotOfPuts(installed);
  const machine = new Machine(1);
  await machine.run(async (state) => {
    await fill(state, undefined);
    const refused = await state.beginIncoming();
    machine.disk.setFull(true);
    for (const chunk of source.chunks) await assert.rejects(refused.write(chunk).then(() => refused.finish()));
    await assert.rejects(refused.discard());
    machine.disk.setFull(false);
    await install(state, source);
  });
  await machine.run(async (state) => void assert.equal(check(state, 0, 'after the second one'), 'new'));
});

async function fill({ log, store }: State, dropTo: number | undefined): Promise<void> {
  const entries = puts(1, before);
  await log.persist({ hardState: { term: 4, vote: '2', commit: before }, entries });
  for (const entry of entries) await store.apply(entry.index, entry.data, entry);
  await store.flush();
  if (dropTo !== undefined) await log.persist({ hardState: undefined, entries: [], dropTo });
}

/** As the replica does. */
async function install(state: State, { snapshot, chunks }: SnapshotOfPuts): Promise<void> {
  const incoming = await state.beginIncoming();
  for (const chunk of chunks) await incoming.write(chunk);
  await incoming.finish();
  const hardState = { term: 4, vote: '2', commit: installed };
  await state.log.persist({ hardState, entries: [], snapshot });
  await state.exchangeStore();
  const [next] = puts(installed + 1, installed + 1);
  assert(next !== undefined);
  await state.log.persist({ hardState: undefined, entries: [next] });
  await state.store.apply(next.index, next.data, next);
}

/** All of the old state, or all of the new one. */
function check({ log, store }: State, base: number, what: string): 'old' | 'new' {
  assert.equal(log.hardState.suspectTerm, undefined, what);
  assert.deepEqual(log.configurations().at(-1)?.configuration, threeVoters, what);
  const isNew = log.firstIndex() > before;
  assert.equal(log.firstIndex() - 1, isNew ? installed : base, what);
  assert(log.lastIndex() >= (isNew ? installed : before) && log.lastIndex() <= installed + 1, what);
  assert.equal(store.appliedIndex, isNew ? installed : before, what);
  assert.equal(store.keyCount, store.appliedIndex, what);
  for (const { index, data } of puts(1, store.appliedIndex)) {
    assert(
      store.get(Buffer.from(`k${String(index).padStart(6, '0')}`)) !== undefined,
      `${what}: key ${index}, ${data}`,
    );
  }
  return isNew ? 'new' : 'old';
}

/** A disk, and processes on it that are killed after some events. */
class Machine {
  readonly disk: SimulatedDisk;
  readonly #scheduler: Scheduler;

  constructor(seed: number) {
    const chance = new Chance(seed);
    this.#scheduler = new Scheduler(chance.of('scheduler'));
    this.disk = new SimulatedDisk(this.#scheduler, chance.of('disk'));
  }

  /** Opens the state and works on it; true if it came to its end before it was killed. */
  async run(work: (state: State) => Promise<void>, steps = Number.POSITIVE_INFINITY): Promise<boolean> {
    const process = new SimulatedProcess(this.#scheduler, 0);
    let isDone = false;
    const open = async (): Promise<void> => {
      const state = await openState({
        groupId: 1,
        clusterId: 'c1',
        memberId: '1',
        files: this.disk.filesFor(process),
        clock: process,
        bootstrap: threeVoters,
        bootstrapMembers: [],
        logCacheBytes: 1000,
        flushIntervalMs: 1e6,
        flushChangesMax: 1000,
        flushBytesMax: 1e6,
        logger: { info: () => undefined, warn: () => undefined },
      });
      await work(state);
      isDone = true;
    };
    open().catch((reason: unknown) => this.#scheduler.stop(reason));
    const end = this.#scheduler.count + steps;
    await this.#scheduler.runUntil(this.#scheduler.nowMs + 1e5, () => isDone || this.#scheduler.count >= end);
    process.kill();
    this.disk.crash();
    return isDone;
  }
}
