import { test } from 'node:test';
import { walk } from './scenario-walk.ts';

/** Set to walk on from another seed, or to repeat one: `SCENARIO_SEED=17 SCENARIO_WALKS=1`. */
const first = Number(process.env.SCENARIO_SEED ?? 1);
const walks = Number(process.env.SCENARIO_WALKS ?? 300);

test(`raft: random walks from seed ${first}: nothing unsafe on the way, and agreement in the end`, () => {
  for (let seed = first; seed < first + walks; seed++) walk(seed);
});
