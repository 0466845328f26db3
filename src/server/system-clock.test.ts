import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { systemClock } from './system-clock.ts';

test('clock: a timer never fires before its time', async () => {
  for (const delayMs of [0, 0.4, 1.7, 5.9]) {
    const startedMs = systemClock.monotonicMs();
    await after(delayMs);
    assert.ok(systemClock.monotonicMs() - startedMs >= delayMs);
  }
});

test('clock: a timer that was cancelled does not fire, and neither does one that is weeks away', async () => {
  const fired: string[] = [];
  const cancel = systemClock.setTimer(1, () => fired.push('cancelled'));
  const cancelFar = systemClock.setTimer(2 ** 40, () => fired.push('weeks away'));
  cancel();
  cancel();
  await after(10);
  assert.deepEqual(fired, []);
  cancelFar();
});

test('clock: the end of a turn comes after its promises and before the next timers', async () => {
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    systemClock.endOfTurn(() => {
      order.push('end of turn');
      resolve();
    });
    Promise.resolve().then(() => order.push('promise'));
    process.nextTick(() => order.push('tick'));
  });
  assert.deepEqual(order, ['promise', 'tick', 'end of turn']);
});

test('clock: after input, what waited in the kernel while the process stood still has been read', async () => {
  const server = createServer((socket) => socket.end('signs of life')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  let read = '';
  const socket = connect(address.port, '127.0.0.1').on('data', (text) => {
    read += text;
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  // The server's side runs in this process too: it gets two rounds to accept and write.
  for (let round = 0; round < 2; round++) await new Promise((resolve) => setImmediate(resolve));
  const state = await new Promise((resolve) => systemClock.afterInput(() => resolve(read)));
  assert.equal(state, 'signs of life');
  server.close();
});

/** Timers of the clock do not keep a process alive: a test has to. */
async function after(delayMs: number): Promise<void> {
  const alive = setInterval(() => {}, 1000);
  await new Promise<void>((resolve) => {
    systemClock.setTimer(delayMs, resolve);
  });
  clearInterval(alive);
}
