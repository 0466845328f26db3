import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { connect } from '../client/index.ts';
import { Endpoints, rejection } from '../client/testing/endpoint.ts';
import { replaceMember } from './replace-member.ts';
import { MemberServer, voters } from './testing/member-server.ts';

const endpoints = new Endpoints();
afterEach(() => endpoints.closeAll());

const request = { old: 'node3', name: 'node4', peerUrls: ['http://10.0.0.4:2380'] };

/** What was told, in order; each wait once. */
async function replace(
  server: MemberServer,
  given: Partial<typeof request> = {},
  signal = new AbortController().signal,
) {
  const told: string[] = [];
  const client = connect({ endpoints: await endpoints.open(server.answer) });
  const tell = (text: string): void => {
    if (told.at(-1) !== text) told.push(text);
  };
  const successor = await replaceMember(
    client,
    { ...request, ...given },
    {
      onAdded: ({ member }) => tell(`added ${member.id}`),
      onRemoved: ({ id }) => tell(`removed ${id}`),
      onWaiting: (what, detail) => tell(`${what}: ${detail}`),
    },
    { signal, pauseMs: 1 },
  );
  return { told, successor };
}

/** It starts after two looks, has 2,000 entries less to go with each further one, and then votes. */
function catchUp(server: MemberServer, id: string): void {
  let looks = 0;
  server.onLook = () => {
    looks++;
    const lag = Math.max(0, 5000 - 2000 * (looks - 3));
    if (looks > 2) server.lags.set(id, lag);
    if (looks > 6) server.promote(id);
  };
}

test('replace: added, waited for and the old one removed, with all that happens told', async () => {
  const server = new MemberServer(voters(3));
  catchUp(server, 'b1');
  const { told, successor } = await replace(server);
  assert.equal(successor.id, 'b1');
  assert.deepEqual(told, [
    'added b1',
    'node4 (b1) to start: nothing has been heard of it',
    'node4 (b1) to catch up: 5,000 log entries to go',
    'node4 (b1) to catch up: 3,000 log entries to go',
    'node4 (b1) to catch up: 1,000 log entries to go',
    'node4 (b1) to vote: it has caught up',
    'removed a3',
  ]);
  assert.deepEqual(server.changes, ['POST /v1/cluster/members', 'DELETE /v1/cluster/members/a3']);
});

test('replace: interrupted anywhere and begun again, nothing is done twice', async () => {
  const server = new MemberServer(voters(3));
  let looks = 0;
  const stopping = new AbortController();
  server.onLook = () => {
    looks++;
    if (looks === 3) stopping.abort();
  };
  await assert.rejects(replace(server, {}, stopping.signal));
  catchUp(server, 'b1');
  assert.equal((await replace(server)).successor.id, 'b1');
  assert.equal((await replace(server)).successor.id, 'b1');
  assert.deepEqual(server.changes, ['POST /v1/cluster/members', 'DELETE /v1/cluster/members/a3']);
});

test('replace: an answer that is lost is found again in the members', async () => {
  const server = new MemberServer(voters(3));
  server.failures.push('hangUp', 'hangUp');
  catchUp(server, 'b1');
  const { told, successor } = await replace(server);
  assert.equal(successor.id, 'b1');
  assert.deepEqual(server.changes, ['POST /v1/cluster/members', 'DELETE /v1/cluster/members/a3']);
  assert.match(told[0] ?? '', /^the cluster to go on: .* List the members to find out\.$/);
});

test('replace: another change under way is waited for; a quorum at risk ends it', async () => {
  const server = new MemberServer(voters(3));
  server.failures.push('change_in_progress', 'no_leader');
  catchUp(server, 'b3');
  assert.equal((await replace(server)).successor.id, 'b3');
  const risky = new MemberServer(voters(3));
  risky.failures.push('quorum_at_risk');
  assert.equal((await rejection(replace(risky))).code, 'quorum_at_risk');
});

test('replace: a learner that is to be promoted by hand is promoted, when it has caught up', async () => {
  const server = new MemberServer(voters(3));
  server.lags.set('b1', 0);
  let looks = 0;
  server.onLook = () => {
    looks++;
    // Before the first promotion, and after the member was added.
    if (looks === 3) server.failures.push('change_in_progress', 'learner_behind');
  };
  const { successor } = await replace(server);
  assert.equal(successor.id, 'b1');
  assert.equal(server.changes.filter((change) => change.endsWith('/b1/promote')).length, 3);
});

test('replace: in place: the one that is down goes first, and comes back under a new id', async () => {
  const server = new MemberServer(voters(3));
  catchUp(server, 'b2');
  const { successor } = await replace(server, { name: 'node3', peerUrls: ['http://10.0.0.3:2380'] });
  assert.deepEqual([successor.id, successor.name, successor.peerUrls], ['b2', 'node3', ['http://10.0.0.3:2380']]);
  assert.deepEqual(server.changes, ['DELETE /v1/cluster/members/a3', 'POST /v1/cluster/members']);
});
