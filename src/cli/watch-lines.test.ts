import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyValue, WatchBatch } from '../client/index.ts';
import { watchBatchJson, watchLines } from './watch-lines.ts';

const kv = (key: string, value: string, modRevision: number): KeyValue => ({
  key: Buffer.from(key),
  value: Buffer.from(value),
  createRevision: 2,
  modRevision,
  version: 3,
});

const batch: WatchBatch = {
  revision: 7,
  events: [
    { type: 'put', kv: kv('a/b', 'value', 7), previous: undefined },
    { type: 'put', kv: kv('a/c', 'new\nline \u001B[2J', 7), previous: kv('a/c', 'old', 5) },
    {
      type: 'delete',
      kv: { key: Buffer.from('a/d'), value: Buffer.of(), createRevision: 0, modRevision: 7, version: 0 },
      previous: kv('a/d', 'gone', 4),
    },
  ],
};

test('watch output: a line for each event, safe for a terminal', () => {
  assert.equal(
    watchLines(batch),
    'PUT  a/b  value  (revision 7)\n' +
      'PUT  a/c  new\\x0aline \\x1b[2J  (revision 7; before: old)\n' +
      'DELETE  a/d  (revision 7; before: gone)\n',
  );
});

test('watch output: JSON is that of the REST API', () => {
  const shown = { createRevision: 2, version: 3 };
  assert.deepEqual(watchBatchJson(batch), {
    revision: 7,
    events: [
      { type: 'put', kv: { key: 'a/b', value: 'value', modRevision: 7, ...shown } },
      {
        type: 'put',
        kv: { key: 'a/c', value: 'new\nline \u001B[2J', modRevision: 7, ...shown },
        prevKv: { key: 'a/c', value: 'old', modRevision: 5, ...shown },
      },
      {
        type: 'delete',
        kv: { key: 'a/d', modRevision: 7 },
        prevKv: { key: 'a/d', value: 'gone', modRevision: 4, ...shown },
      },
    ],
  });
});
