import type { Shape } from './scenarios.ts';
import type { Spread } from './statistics.ts';
import type { Ratio } from './summary.ts';

export interface Goal {
  readonly title: string;
  readonly scenario: string;
  readonly outstanding: number;
  readonly measure: 'requestsPerSecond' | 'p50' | 'p99';
  /** Of Balsa's figure to etcd's: more requests per second are better, a longer time is worse. */
  readonly bound: { readonly atLeast: number } | { readonly atMost: number };
}

export interface Verdict {
  readonly goal: Goal;
  readonly etcdShape: Shape | undefined;
  /** Undefined if the run did not include what the goal needs. */
  readonly ratio: Spread | undefined;
  readonly outcome: 'met' | 'missed' | 'not measured' | 'not trustworthy';
}

export const goals: readonly Goal[] = [
  {
    title: 'puts at 256 outstanding: at least 1.2 times as many',
    scenario: 'put-leader',
    outstanding: 256,
    measure: 'requestsPerSecond',
    bound: { atLeast: 1.2 },
  },
  {
    title: 'linearizable gets at 256 outstanding, leader: at least 2 times as many',
    scenario: 'get-leader',
    outstanding: 256,
    measure: 'requestsPerSecond',
    bound: { atLeast: 2 },
  },
  {
    title: 'linearizable gets at 256 outstanding, follower: at least 2 times as many',
    scenario: 'get-follower',
    outstanding: 256,
    measure: 'requestsPerSecond',
    bound: { atLeast: 2 },
  },
  {
    title: "a single client's put: the median time is not above etcd's",
    scenario: 'put-leader',
    outstanding: 1,
    measure: 'p50',
    bound: { atMost: 1 },
  },
];

/** One verdict for each shape in which etcd was driven; one in all if the run did not include what the goal needs. */
export function judge(goal: Goal, ratios: readonly Ratio[]): readonly Verdict[] {
  const measured = ratios.filter((ratio) => ratio.scenario === goal.scenario && ratio.outstanding === goal.outstanding);
  if (measured.length === 0) return [{ goal, etcdShape: undefined, ratio: undefined, outcome: 'not measured' }];
  return measured.map((found) => {
    const ratio = found[goal.measure];
    return { goal, etcdShape: found.etcdShape, ratio, outcome: outcomeOf(goal, ratio, found.isTrustworthy) };
  });
}

function outcomeOf({ bound }: Goal, { median }: Spread, isTrustworthy: boolean): Verdict['outcome'] {
  if (!isTrustworthy) return 'not trustworthy';
  const isMet = 'atLeast' in bound ? median >= bound.atLeast : median <= bound.atMost;
  return isMet ? 'met' : 'missed';
}
