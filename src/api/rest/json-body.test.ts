// biome-ignore-all lint/suspicious/noThenProperty: a word of the API; nobody awaits these objects
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TxnAnswer, TxnRequest } from '../../contract/txn.ts';
import { header } from './testing/answers.ts';
import type { Answer } from './testing/http-client.ts';
import { type RunningApp, startApp } from './testing/start-api.ts';

/** An app that counts the transactions which come through. */
async function start(t: Parameters<typeof startApp>[0]): Promise<RunningApp & { readonly done: TxnRequest[] }> {
  const done: TxnRequest[] = [];
  const txn = async (request: TxnRequest): Promise<TxnAnswer> => {
    done.push(request);
    return { header, succeeded: true, results: [] };
  };
  return { ...(await startApp(t, { txn })), done };
}

function checkProblem(answer: Answer, expected: string): Answer {
  assert.equal(`${answer.status} ${answer.json()['code']}`, expected, answer.text.slice(0, 200));
  assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
  assert.match(String(answer.headers['balsa-member']), /^[0-9a-f]+$/);
  return answer;
}

test('json body: of any content type, or none, as curl sends it', async (t) => {
  const { client, done } = await start(t);
  for (const type of ['application/json', 'application/x-www-form-urlencoded', ';;', '']) {
    const answer = await client.call('POST /v1/txn', { body: '{}', headers: { 'content-type': type } });
    assert.equal(answer.status, 200, answer.text);
  }
  assert.equal(done.length, 4);
});

test('json body: none, half of one, something else', async (t) => {
  const { client, done } = await start(t);
  for (const body of ['', ' ', '{"then":[', '{}{}', "{'then':[]}", 'then=put', '\ufeff{}', 'NaN']) {
    checkProblem(await client.call('POST /v1/txn', { body }), '400 bad_request');
  }
  const { detail } = checkProblem(await client.call('POST /v1/txn', { body: '{"then":x}' }), '400 bad_request').json();
  assert.match(String(detail), /^The body is not JSON: /);
  assert.deepEqual(done, []);
});

test('json body: bytes that are not UTF-8 are not changed into others, but refused', async (t) => {
  const { client, done } = await start(t);
  const body = Buffer.concat([
    Buffer.from('{"then":[{"put":{"key":"'),
    Buffer.of(0xff),
    Buffer.from('","value":""}}]}'),
  ]);
  const answer = checkProblem(await client.call('POST /v1/txn', { body }), '400 bad_request');
  assert.match(String(answer.json()['detail']), /not UTF-8.*keyBase64/);
  assert.deepEqual(done, []);
});

test('json body: nested 10,000 deep', async (t) => {
  const { client, done } = await start(t);
  for (const [open, close] of [
    ['[', ']'],
    ['{"then":[{"txn":', '}]}'],
    ['{"if":[', ']}'],
  ] as const) {
    const body = `${open.repeat(10_000)}{}${close.repeat(10_000)}`;
    checkProblem(await client.call('POST /v1/txn', { body }), '400 bad_request');
  }
  assert.deepEqual(done, []);
});

test('json body: a million objects or lists', async (t) => {
  const { client, done } = await start(t);
  for (const body of [`[${'{},'.repeat(1_000_000)}{}]`, '['.repeat(1_000_000)]) {
    const answer = checkProblem(await client.call('POST /v1/txn', { body }), '413 too_large');
    assert.match(String(answer.json()['detail']), /65536 objects and lists/);
  }
  assert.deepEqual(done, []);
});

test('json body: brackets in values count for nothing', async (t) => {
  const { client, done } = await start(t);
  const value = '[{"\\'.repeat(100_000);
  const answer = await client.call('POST /v1/txn', { body: JSON.stringify({ then: [{ put: { key: 'a', value } }] }) });
  assert.equal(answer.status, 200, answer.text);
  const [put] = done[0]?.success ?? [];
  assert.equal(put?.kind === 'put' && Buffer.from(put.value).toString(), value);
});

test('json body: 4 MiB are the most of a transaction, with and without a declared length', async (t) => {
  const { client, done } = await start(t);
  const body = Buffer.alloc(4 * 1024 * 1024, ' ');
  body.write('{}');
  assert.equal((await client.call('POST /v1/txn', { body })).status, 200);
  const larger = Buffer.concat([body, Buffer.of(0x20)]);
  for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
    const answer = checkProblem(await client.call('POST /v1/txn', { body: larger, headers }), '413 too_large');
    assert.equal(answer.json()['limitBytes'], body.length);
    assert.match(String(answer.json()['detail']), /fewer operations/);
  }
  assert.equal(done.length, 1);
});

test('json body: a client that asks before it sends is told to go on with what a transaction may have', async (t) => {
  const { client } = await start(t);
  const connection = await client.connect();
  const head = 'POST /v1/txn HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n';
  connection.send(`${head}content-length: 4000000\r\n\r\n`);
  await connection.until('100 Continue\r\n\r\n');
  connection.send('{}'.padEnd(4_000_000));
  await connection.until('200 OK');
  connection.close();
  const another = await client.connect();
  another.send(`${head}content-length: 5000000\r\n\r\n`);
  assert.match(await another.until('too_large'), /^HTTP\/1\.1 413 /);
  another.close();
});

test('json body: a page of another origin may not write', async (t) => {
  const { client, done } = await start(t);
  for (const [headers, parameter] of [
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 'Sec-Fetch-Site'],
    [{ 'sec-fetch-site': 'same-site' }, 'Sec-Fetch-Site'],
    [{ origin: 'https://evil.example' }, 'Origin'],
    [{ origin: 'null' }, 'Origin'],
  ] as const) {
    const answer = await client.call('POST /v1/txn', {
      body: '{}',
      headers: { ...headers, 'content-type': 'text/plain' },
    });
    assert.equal(checkProblem(answer, '400 bad_request').json()['parameter'], parameter);
    checkProblem(await client.call('POST /v1/leases/1/keepalive', { headers }), '400 bad_request');
  }
  assert.deepEqual(done, []);
  for (const headers of [
    { 'sec-fetch-site': 'same-origin', origin: 'http://x' },
    { 'sec-fetch-site': 'none' },
    { origin: 'http://balsa:2379', host: 'balsa:2379' },
  ]) {
    assert.equal((await client.call('POST /v1/txn', { body: '{}', headers })).status, 200);
  }
});
