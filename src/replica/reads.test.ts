import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { ManualClock } from '../base/testing/manual-clock.ts';
import { Deadlines } from './deadlines.ts';
import { noMetrics } from './metrics.ts';
import { Reads } from './reads.ts';

const retryMs = 250;

test('reads: an answer that takes longer than the retry time still counts, or a slow network would never be answered', async () => {
  const { reads, asked, clock } = make();
  const read = reads.confirm(5000);
  reads.startRound();
  for (let attempt = 1; attempt < 4; attempt++) {
    clock.advance(retryMs);
    reads.tick();
    assert.equal(asked.length, attempt + 1);
  }
  reads.onReadState({ context: asked[0] ?? 0, index: 0 });
  await read;
});

test('reads: a read that arrives after the first attempt is not answered by it', async () => {
  const { reads, asked, clock } = make();
  const first = reads.confirm(5000);
  reads.startRound();
  clock.advance(retryMs);
  reads.tick();
  let isAnswered = false;
  const second = reads.confirm(5000).then(() => {
    isAnswered = true;
  });
  reads.onReadState({ context: asked[0] ?? 0, index: 0 });
  await first;
  assert.equal(isAnswered, false);
  reads.onReadState({ context: asked[1] ?? 0, index: 0 });
  await Promise.resolve();
  assert.equal(isAnswered, false, 'the second attempt was asked before the read came, too');
  reads.onReadState({ context: asked[2] ?? 0, index: 0 });
  await second;
});

/** Reads of a member whose leader takes every question, and answers when the test says so. */
function make() {
  const clock = new ManualClock();
  const asked: number[] = [];
  const reads = new Reads({
    core: {
      leader: '1',
      requestReadIndex: (context) => {
        asked.push(context);
        return true;
      },
    },
    clock,
    random: seededRandom(1),
    deadlines: new Deadlines(clock),
    metrics: noMetrics,
    retryMs,
    pendingMax: 10,
    appliedIndex: () => 0,
    wake: () => undefined,
  });
  return { reads, asked, clock };
}
