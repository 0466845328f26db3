import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { afterEach, test } from 'node:test';
import { connect } from './index.ts';
import { Endpoints, hangUp, inTurn, json, problem, rejection } from './testing/endpoint.ts';

const endpoints = new Endpoints();
afterEach(() => endpoints.closeAll());

const id = 0x694d5765fc71500bn;
const hex = '694d5765fc71500b';

const renewal = (ttl: number): RequestListener => json({ id: hex, ttl });

test('leases: requests and answers are those of the API', async () => {
  const seen: string[] = [];
  const answers: Record<string, object> = {
    'POST /v1/leases': { id: hex, ttl: 30 },
    [`POST /v1/leases/${hex}/keepalive`]: { id: hex, ttl: 30 },
    [`GET /v1/leases/${hex}`]: {
      id: hex,
      ttl: 17,
      grantedTtl: 30,
      keys: [{ key: 'a' }, { keyBase64: '/w==' }],
    },
    'GET /v1/leases': { revision: 7, leases: [{ id: '00000000000000ff' }, { id: hex }] },
    [`DELETE /v1/leases/${hex}`]: { deleted: 2, revision: 8 },
  };
  const url = await endpoints.open((request, response) => {
    const [path, query = ''] = (request.url ?? '').split('?');
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    request.on('end', () => seen.push(`${query.replace(/&?timeout=\d+ms/, '')}${body}`));
    json(answers[`${request.method} ${path}`])(request, response);
  });
  const { leases } = connect({ endpoints: url });
  assert.deepEqual(await leases.grant(30, { id }), { id, ttl: 30 });
  assert.deepEqual(await leases.grant(30), { id, ttl: 30 });
  assert.deepEqual(await leases.keepAlive(id), { id, ttl: 30 });
  const time = await leases.timeToLive(id, { keys: true });
  assert.deepEqual(
    { ...time, keys: time.keys.map((key) => Buffer.from(key).toString('hex')) },
    {
      id,
      ttl: 17,
      grantedTtl: 30,
      keys: ['61', 'ff'],
    },
  );
  assert.deepEqual(await leases.list(), [255n, id]);
  assert.deepEqual(await leases.revoke(id), { deleted: 2, revision: 8 });
  assert.deepEqual(seen, [`{"ttl":30,"id":"${hex}"}`, '{"ttl":30}', '', 'keys=true', '', '']);
});

test('leases: a renewal is sent again without harm; a grant only with an idempotency key', async () => {
  const first = inTurn(hangUp, renewal(30));
  const balsa = async (answer: RequestListener) =>
    connect({ endpoints: [await endpoints.open(answer), await endpoints.open(renewal(30))] });
  assert.equal((await (await balsa(first)).leases.keepAlive(id)).ttl, 30);
  assert.equal((await rejection((await balsa(hangUp)).leases.grant(30))).code, 'outcome_unknown');
  assert.equal((await (await balsa(hangUp)).leases.grant(30, { idempotencyKey: 'job-1' })).ttl, 30);
});

test('keep: renews at once, and from then on until it is closed', async () => {
  let renewals = 0;
  const url = await endpoints.open((request, response) => {
    renewals += 1;
    renewal(30)(request, response);
  });
  const { leases } = connect({ endpoints: url });
  const seconds: number[] = [];
  await using keeper = await leases.keep(id, { onRenewed: (ttl) => seconds.push(ttl) });
  assert.deepEqual([keeper.id, keeper.ttl, keeper.lost.aborted], [id, 30, false]);
  assert.deepEqual([renewals, seconds], [1, [30]]);
});

test('keep: a lease that is not there is refused at once', async () => {
  const url = await endpoints.open(problem('lease_not_found'));
  assert.equal((await rejection(connect({ endpoints: url }).leases.keep(id))).code, 'lease_not_found');
});
