import { isDeepStrictEqual } from 'node:util';
import type { Outcome } from './servers.ts';
import type { Step } from './step.ts';

/** What the two servers cannot agree on: who they are, and how often they have elected a leader. */
const ownAlways = ['clusterId', 'memberId', 'raftTerm'];

/** Undefined if the answers are the same, or differ in the way that is meant; otherwise what is wrong. */
export function compare(step: Step, etcd: Outcome, balsa: Outcome): string | undefined {
  const own = new Set([...ownAlways, ...step.own].flatMap((name) => [name, ...jsonNames(name)]));
  const [expected, found] = [without(etcd, own), without(balsa, own)];
  const isSame = isDeepStrictEqual(expected, found);
  const { differs } = step;
  if (differs === undefined) return isSame ? undefined : `etcd: ${shown(expected)}\n  Balsa: ${shown(found)}`;
  if (isSame && !differs.isSometimesSame) return `they agree although they should not: ${differs.reason}`;
  const text = 'text' in balsa ? balsa.text : 'an answer';
  if (differs.error === undefined || text.startsWith(differs.error)) return undefined;
  return `Balsa: ${shown(found)}, not ${differs.error}`;
}

function jsonNames(name: string): string[] {
  const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return [snake, name.replace('Urls', 'URLs'), name.toUpperCase()];
}

function without(value: unknown, own: ReadonlySet<string>): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (Array.isArray(value)) return value.map((item) => without(item, own));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !own.has(name));
  return Object.fromEntries(kept.map(([name, item]) => [name, without(item, own)]));
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}` : item));
  return text.length > 700 ? `${text.slice(0, 700)}…` : text;
}
