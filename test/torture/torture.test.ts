import assert from 'node:assert/strict';
import { test } from 'node:test';
import { torture } from './torture.ts';

test('torture: a short one, in which every kind of fault happens often', async (t) => {
  const seed = 99;
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const happens = ['SIGKILLs', 'transactions', 'leases', 'compactions', 'reads of the past'];
  const result = await torture({ members: 3, durationMs: 15_000, seed, haste: 4, replaces: false, happens, say });
  assert.equal(result.failure, undefined, `seed ${seed}: ${result.failure}\n${lines.join('\n')}`);
  t.diagnostic(JSON.stringify([...result.counts]));
  const count = (what: string): number => result.counts.get(what) ?? 0;
  assert.ok(count('requests answered') > 100);
  for (const what of happens) assert.ok(count(what) > 0, what);
});
