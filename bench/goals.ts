import type { Protocol } from './clusters/balsa.ts';
import type { Shape } from './scenarios.ts';
import type { Spread } from './statistics.ts';
import type { Ratio } from './summary.ts';

export interface Goal {
  readonly title: string;
  /** How requests come to Balsa where this is to be reached. */
  readonly protocols: readonly Protocol[];
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

interface Row {
  readonly subject: string;
  readonly scenario: string;
  readonly outstanding: number;
  readonly protocols: readonly Protocol[];
}

const rest = ['rest'] as const;
const grpc = ['grpc'] as const;
const both = ['rest', 'grpc'] as const;

/** The first four are the first mark; the others go further. Over gRPC, where both do the same work, less is asked for. */
export const goals: readonly Goal[] = [
  moreRequests(1.2, putsAtLeader(256, both)),
  moreRequests(2, readsAt256('linearizable gets at the leader', 'get-leader', rest)),
  moreRequests(2, readsAt256('linearizable gets at a follower', 'get-follower', rest)),
  lessTime('p50', 1, putsAtLeader(1, both)),

  ...[64, 256, 1000].flatMap((outstanding) => [
    moreRequests(2.5, putsAtLeader(outstanding, rest)),
    lessTime('p99', 0.6, putsAtLeader(outstanding, rest)),
  ]),
  ...[256, 1024].map((outstanding) => moreRequests(1.5, putsAtLeader(outstanding, grpc))),
  lessTime('p50', 0.7, putsAtLeader(1, both)),
  ...(
    [
      ['linearizable gets at the leader', 'get-leader'],
      ['linearizable gets at a follower', 'get-follower'],
      ['stale gets at the leader', 'stale-get-leader'],
    ] as const
  ).flatMap(([subject, scenario]) => [
    moreRequests(3, readsAt256(subject, scenario, rest)),
    moreRequests(1.5, readsAt256(subject, scenario, grpc)),
  ]),
  moreRequests(2, putsAtFollower(rest)),
  moreRequests(1.3, putsAtFollower(grpc)),
  moreRequests(1.5, {
    subject: 'transactions of 3 compares and 3 puts',
    scenario: 'txn-leader',
    outstanding: 256,
    protocols: grpc,
  }),
  // Each request reads the same number of keys, so the ratio of requests is that of keys.
  moreRequests(1.5, {
    subject: 'keys read by prefix, 1,000 a request',
    scenario: 'prefix-leader',
    outstanding: 16,
    protocols: both,
  }),
];

export function goalsOver(protocol: Protocol): readonly Goal[] {
  return goals.filter(({ protocols }) => protocols.includes(protocol));
}

/** Whether a goal needs this scenario with so many requests outstanding. */
export function isAskedFor(protocol: Protocol, scenario: string, outstanding: number): boolean {
  return goalsOver(protocol).some((goal) => goal.scenario === scenario && goal.outstanding === outstanding);
}

function putsAtLeader(outstanding: number, protocols: readonly Protocol[]): Row {
  return { subject: 'puts at the leader', scenario: 'put-leader', outstanding, protocols };
}

function putsAtFollower(protocols: readonly Protocol[]): Row {
  return { subject: 'puts at a follower', scenario: 'put-follower', outstanding: 256, protocols };
}

function readsAt256(subject: string, scenario: string, protocols: readonly Protocol[]): Row {
  return { subject, scenario, outstanding: 256, protocols };
}

function moreRequests(atLeast: number, row: Row): Goal {
  return goalOf(row, 'requestsPerSecond', { atLeast }, `at least ${atLeast} times as many`);
}

function lessTime(measure: 'p50' | 'p99', atMost: number, row: Row): Goal {
  return goalOf(row, measure, { atMost }, `${measure} at most ${atMost} times as long`);
}

function goalOf({ subject, ...row }: Row, measure: Goal['measure'], bound: Goal['bound'], demand: string): Goal {
  return {
    title: `${subject}, ${row.outstanding.toLocaleString('en-US')} outstanding: ${demand}`,
    ...row,
    measure,
    bound,
  };
}

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
