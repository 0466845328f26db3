import { searchSeeds } from '../search-seeds.ts';

/** Run in a copy of the code: says on one line which of the first seeds failed, and how. */
export interface Catch {
  /** Seeds that were run, the one that failed included; undefined if none failed. */
  readonly seeds: number | undefined;
  readonly rule: string;
}

const count = Number(process.argv[2]);
const { failure } = await searchSeeds({ from: 1, count, twiceEvery: 0 });
const caught: Catch = { seeds: failure?.plan.seed, rule: failure?.violation?.rule ?? '' };
// The members of the run that failed may have work left, and fail at it.
process.stdout.write(`${JSON.stringify(caught)}\n`, () => process.exit());
