import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchRequest } from '../../contract/watch.ts';
import { startWatchApp } from './testing/scripted-watch.ts';
import { WatchClient } from './testing/watch-client.ts';

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');

for (const [query, range] of [
  ['key=a', ['61', '6100']],
  ['key=%FF', ['ff', 'ff00']],
  ['prefix=a/', ['612f', '6130']],
  ['prefix=', ['', undefined]],
  ['start=a&end=b', ['61', '62']],
  ['start=a', ['61', undefined]],
] as const) {
  test(`watch request: ${query}`, async (t) => {
    const api = await startWatchApp(t);
    await using _client = await WatchClient.open(api.url, query);
    const { request } = await api.nextWatch();
    assert.deepEqual([hex(request.range.start), hex(request.range.end)], range);
  });
}

for (const [query, headers, expected] of [
  ['prefix=a', {}, { revision: undefined, previous: false, filter: undefined }],
  ['prefix=a&revision=5&prevKv&filter=put', {}, { revision: 5, previous: true, filter: 'put' }],
  ['prefix=a&filter=delete', {}, { filter: 'delete' }],
  ['prefix=a&revision=9007199254740991', {}, { revision: 9007199254740991 }],
  ['prefix=a', { 'last-event-id': '41' }, { revision: 42 }],
  ['prefix=a', { 'last-event-id': '0' }, { revision: 1 }],
  // A browser sends its URL again as it was.
  ['prefix=a&revision=5', { 'last-event-id': '41' }, { revision: 42 }],
] as const) {
  test(`watch request: ${query} ${JSON.stringify(headers)}`, async (t) => {
    const api = await startWatchApp(t);
    await using _client = await WatchClient.open(api.url, query, headers);
    const { request } = await api.nextWatch();
    for (const [name, value] of Object.entries(expected))
      assert.equal(request[name as keyof WatchRequest], value, name);
  });
}

for (const [target, headers, parameter] of [
  ['', {}, 'prefix'],
  ['?key=a&prefix=a', {}, 'key'],
  ['?key=a&end=b', {}, 'key'],
  ['?key=', {}, 'key'],
  ['?prefix=a&start=a', {}, 'prefix'],
  ['?start=a&end=', {}, 'end'],
  ['?prefix=a&revision=0', {}, 'revision'],
  ['?prefix=a&revision=-1', {}, 'revision'],
  ['?prefix=a&revision=9007199254740992', {}, 'revision'],
  ['?prefix=a&revision=99999999999999999999', {}, 'revision'],
  ['?prefix=a&filter=both', {}, 'filter'],
  ['?prefix=a&progress=1ms', {}, 'progress'],
  ['?prefix=a&progress=2m', {}, 'progress'],
  ['?prefix=a&limit=1', {}, 'limit'],
  ['?prefix=a&consistency=stale', {}, 'consistency'],
  ['?prefix=a', { 'last-event-id': 'x' }, 'Last-Event-ID'],
  ['?prefix=a', { 'last-event-id': '' }, 'Last-Event-ID'],
  ['?prefix=a', { 'last-event-id': '-1' }, 'Last-Event-ID'],
  ['?prefix=a', { 'last-event-id': '9007199254740991' }, 'Last-Event-ID'],
] as const) {
  test(`watch request: refused: ${target} ${JSON.stringify(headers)}`, async (t) => {
    const api = await startWatchApp(t);
    const answer = await api.client.call(`GET /v1/watch${target}`, { headers });
    assert.equal(answer.status, 400, answer.text);
    assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
    assert.deepEqual([answer.json()['code'], answer.json()['parameter']], ['bad_request', parameter]);
  });
}
