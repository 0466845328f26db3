import { type Random, seededRandom } from '../../src/base/random.ts';
import type { WatchRequest } from '../../src/contract/watch.ts';
import type { Database } from '../../src/mvcc/database.ts';
import type { StoreWatch } from '../../src/mvcc/index.ts';
import { Observer } from './observer.ts';
import { printable } from './printable.ts';
import { applyStep, describeStep, RandomHistory } from './random-history.ts';
import { RealStore, settle } from './real-store.ts';
import { StoreModel } from './store-model.ts';
import { WatchChecker } from './watch-checker.ts';

interface Watching {
  readonly request: WatchRequest;
  readonly beganAt: number;
  readonly compactedBefore: number;
  readonly observer: Observer;
  readonly watch: StoreWatch;
  /** The store's revision when it had been told everything. */
  completedTo?: number;
}

const watchersMax = 6;

/**
 * A random history, done to the store and to the model side by side, with restarts, flushes, compactions and watchers of
 * all speeds in between. Throws with the seed, the step and what the two said of it.
 */
export async function holdAgainstModel(database: Database, seed: number, steps: number): Promise<void> {
  const random = seededRandom(seed);
  const history = new RandomHistory(random);
  const model = new StoreModel();
  const real = await RealStore.open(database);
  const finished: Watching[] = [];
  let watching: Watching[] = [];
  for (let at = 0; at < steps; at++) {
    const step = history.next(model);
    const expected = applyStep(model, step);
    const found = await real.do(step);
    if (printable(withoutReason(found)) !== printable(withoutReason(expected))) {
      throw new Error(
        `seed ${seed}, step ${at}: ${describeStep(step)}\n  the model says ${printable(expected)}\n  the store says ${printable(found)}`,
      );
    }
    if (random.below(40) === 0 && watching.length < watchersMax) {
      watching.push(openWatch(real, history.watchRequest(model), random));
    }
    for (const { observer, watch } of watching) if (observer.isPaused && random.below(4) === 0) resume(observer, watch);
    if (random.below(50) === 0) await real.pass(random.below(200));
    if (random.below(100) === 0) real.store.watches.tellProgress();
    if (random.below(400) === 0) {
      for (const one of watching) await finish(real, one);
      finished.push(...watching);
      watching = [];
      if (random.below(2) === 0) await real.flush();
      await real.restart();
    }
  }
  for (const one of watching) await finish(real, one);
  await real.close();
  checkWatches(model, [...finished, ...watching], seed);
}

function openWatch(real: RealStore, request: WatchRequest, random: Random): Watching {
  const slowness = random.below(3);
  const observer = new Observer(() => slowness === 0 || random.below(slowness + 1) > 0);
  const { revision: beganAt, compactRevision: compactedBefore } = real.store;
  return { request, beganAt, compactedBefore, observer, watch: real.store.watch(request, observer) };
}

function resume(observer: Observer, watch: StoreWatch): void {
  observer.isPaused = false;
  watch.resume();
}

/** Until it has been told everything there is. */
async function finish(real: RealStore, watching: Watching): Promise<void> {
  const { observer, watch } = watching;
  while (observer.error === undefined && (observer.isPaused || real.store.watches.behind > 0)) {
    if (observer.isPaused) resume(observer, watch);
    await settle();
  }
  watching.completedTo = real.store.revision;
  watch.close();
}

function checkWatches(model: StoreModel, watched: readonly Watching[], seed: number): void {
  const { log: revisions, revision, compactRevision } = model;
  const checker = new WatchChecker({ revisions, revision, compactRevision });
  for (const { request, beganAt, compactedBefore, observer, completedTo } of watched) {
    const completeTo = observer.error === undefined ? completedTo : undefined;
    const problem = checker.check({ request, beganAt, compactedBefore, seen: observer.seen, completeTo });
    if (problem !== undefined) throw new Error(`seed ${seed}, watch ${printable(request)}: ${problem}`);
  }
}

/** Why a request is bad is told in words of their own. */
function withoutReason(outcome: object): object {
  return { ...outcome, reason: undefined };
}
