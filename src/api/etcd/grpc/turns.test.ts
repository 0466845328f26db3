import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

test('turns: what is more than a turn may do is done in the next ones, in order, with timers in between', async () => {
  const turns = new Turns(10);
  const done: number[] = [];
  for (let i = 0; i < 35; i++) turns.run(() => done.push(i));
  assert.equal(done.length, 10);
  const seen: number[] = [];
  while (done.length < 35) {
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(done.length);
  }
  assert.deepEqual(seen, [20, 30, 35]);
  assert.deepEqual(
    done,
    Array.from({ length: 35 }, (_, i) => i),
  );
});

test('turns: what is given while others wait does not overtake them', async () => {
  const turns = new Turns(2);
  const done: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    turns.run(() => {
      done.push(name);
      turns.run(() => done.push(`behind ${name}`));
    });
  }
  while (done.length < 6) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(done, ['a', 'behind a', 'b', 'c', 'behind b', 'behind c']);
});
