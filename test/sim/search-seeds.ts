import { Violation } from './checks/violation.ts';
import { planOf, type Wishes } from './plan.ts';
import { nothingDone, sumOf } from './report.ts';
import { type Account, type Outcome, run } from './run.ts';

export interface SeedSearch {
  /** The first seed, and how many follow each other. */
  readonly from: number;
  readonly count: number;
  readonly wishes?: Wishes;
  /** Each so manieth run is done twice and has to be the same; 0: none. */
  readonly twiceEvery: number;
}

export interface SeedResult {
  readonly account: Account;
  /** The first run that failed; the search ended with it. */
  readonly failure: Outcome | undefined;
}

/** Runs seed after seed until one fails. */
export async function searchSeeds(
  search: SeedSearch,
  onRun: (account: Account) => void = () => undefined,
): Promise<SeedResult> {
  const { from, count, wishes, twiceEvery } = search;
  let account = nothingDone;
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await run(planOf(seed, wishes));
    account = sumOf(account, outcome.account);
    onRun(outcome.account);
    if (outcome.violation !== undefined) return { account, failure: outcome };
    if (twiceEvery === 0 || seed % twiceEvery !== 0) continue;
    const again = await run(planOf(seed, wishes));
    if (again.hash === outcome.hash) continue;
    const violation = new Violation('determinism', `two runs gave the traces ${outcome.hash} and ${again.hash}`);
    return { account, failure: { ...again, violation } };
  }
  return { account, failure: undefined };
}
