import assert from 'node:assert/strict';
import { test } from 'node:test';
import { torture } from './torture.ts';

test('torture: a short one, in which every kind of fault happens often', async (t) => {
  const seed = 99;
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const result = await torture({ members: 3, durationMs: 15_000, seed, haste: 4, say });
  assert.equal(result.failure, undefined, `seed ${seed}: ${result.failure}\n${lines.join('\n')}`);
  t.diagnostic(JSON.stringify([...result.counts, ['requests answered', result.operations]]));
  assert.ok((result.counts.get('SIGKILLs') ?? 0) > 0 && result.operations > 100);
});
