import type { Fault } from './plan.ts';
import type { Account, Outcome } from './run.ts';

/** Adds up what runs have done. */
export function sumOf(a: Account, b: Account): Account {
  const keys = Object.keys(a) as (keyof Account)[];
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as unknown as Account;
}

export const nothingDone: Account = {
  runs: 0,
  clusterSeconds: 0,
  events: 0,
  messages: 0,
  operations: 0,
  unknown: 0,
  refused: 0,
  faults: 0,
  terms: 0,
  configurations: 0,
  introductions: 0,
  restores: 0,
  entries: 0,
};

/** A line about what was done so far; `seconds` of real time on that many cores. */
export function describeProgress(account: Account, seconds: number, jobs: number): string {
  const { runs, clusterSeconds, faults, operations, unknown, terms, configurations, restores } = account;
  const speed = clusterSeconds / Math.max(seconds, 1e-3);
  return [
    `${runs} runs`,
    `${(clusterSeconds / 3600).toFixed(1)} cluster hours`,
    `${faults} faults`,
    `${operations} requests answered, ${unknown} unknown`,
    `${terms} terms`,
    `${configurations} configurations`,
    `${restores} restores`,
    `${seconds.toFixed(0)} s (${speed.toFixed(0)} cluster seconds a second, ${(speed / jobs).toFixed(0)} a core)`,
  ].join(' · ');
}

/** What broke, and how it came to that. */
export function describeFailure({ plan, violation, story, hash }: Outcome): string {
  return [
    `seed ${plan.seed} (${plan.members} members, trace ${hash})`,
    violation?.message ?? 'nothing broke',
    '',
    `${plan.faults.length} faults:`,
    ...plan.faults.map((fault) => `  ${describeFault(fault)}`),
    '',
    ...story,
  ].join('\n');
}

function describeFault({ kind, atMs, ...details }: Fault): string {
  const told = Object.entries(details).map(([name, value]) => `${name} ${JSON.stringify(round(value))}`);
  return `${(atMs / 1000).toFixed(3).padStart(8)} s  ${kind}${told.length > 0 ? `: ${told.join(', ')}` : ''}`;
}

function round(value: unknown): unknown {
  if (typeof value === 'number') return Math.round(value * 1000) / 1000;
  return Array.isArray(value) ? value.map(round) : value;
}
