import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DamagedValue } from '../mvcc/index.ts';
import { databases } from '../mvcc/testing/databases.ts';
import { openTestStore, put } from '../mvcc/testing/test-store.ts';
import { Scrubber } from './scrubber.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

const intervalMs = 1000;

for (const { name, create } of databases) {
  test(`scrubber: ${name}: reads everything once an interval, and finds what nobody reads`, async (t) => {
    const { database } = await create(t);
    const clock = new VirtualClock();
    const { store, apply } = await openTestStore(database, { clock });
    for (let i = 0; i < 1200; i++) await apply(put(`key-${i}`, 'value'));
    await store.flush();
    const told: string[] = [];
    const logger = {
      info: (event: string, { records }: Record<string, unknown>) => told.push(`${event}: ${records}`),
      warn: (event: string) => told.push(event),
    };
    const scrubber = new Scrubber({ store, clock, logger, intervalMs, pauseMs: 0 });
    // Keys, the changes of each, three members and the state.
    await clock.until('a pass', () => told.length === 1, 2 * intervalMs);
    assert.deepEqual(told, ['store scrubbed: 2404']);

    const key = Buffer.from('\x00\x00\x00\x00\x10key-7', 'latin1');
    const record = Buffer.from((await database.get(key)) ?? assert.fail('there is no such record'));
    record[30] = (record[30] ?? 0) ^ 1;
    await database.put(key, record);
    await clock.until('the damage', () => told.length === 2, 2 * intervalMs);
    assert.equal(told[1], 'store damaged');
    await assert.rejects(store.failed, DamagedValue);
    await scrubber.stop();
    await store.close().catch(() => {});
  });
}
