import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../base/testing/manual-clock.ts';
import { TimeUp, within } from './within.ts';

const never = (): Promise<never> => new Promise(() => undefined);

test('within: what ends in time is told as it is, and nothing is left behind', async () => {
  const clock = new ManualClock();
  const limits = { timeoutMs: 10, signal: new AbortController().signal, clock };
  assert.equal(await within(limits, async () => 'done'), 'done');
  await assert.rejects(
    within(limits, async () => Promise.reject(new RangeError('x'))),
    RangeError,
  );
  assert.equal(clock.timers, 0);
});

test('within: rejects when the time is up, also for what does not heed its signal', async () => {
  const clock = new ManualClock();
  let given: AbortSignal | undefined;
  const late = within({ timeoutMs: 10, signal: undefined, clock }, (signal) => {
    given = signal;
    return never();
  });
  clock.advance(10);
  await assert.rejects(late, TimeUp);
  assert.equal(given?.aborted, true);
});

test('within: rejects with the reason of its signal, at once if that has been aborted before', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const stopped = within({ timeoutMs: 10, signal: stop.signal, clock }, never);
  stop.abort(new RangeError('given up'));
  await assert.rejects(stopped, RangeError);
  assert.equal(clock.timers, 0);
  await assert.rejects(
    within({ timeoutMs: 10, signal: stop.signal, clock }, () => assert.fail('was run')),
    RangeError,
  );
});
