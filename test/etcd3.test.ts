import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Etcd3, EtcdLeaseInvalidError, EtcdLockFailedError } from 'etcd3';
import { eventually, ProcessCluster } from './support/processes.ts';

// The npm package `etcd3` as its documentation shows it.
test('etcd3: keys, transactions, leases, locks and elections, of one node', async (t) => {
  await using cluster = await ProcessCluster.start(1);
  const client = new Etcd3({ hosts: cluster.node(0).url });
  t.after(() => client.close());
  await everyDay(t, client);
});

test('etcd3: the same through a follower of three, and the death of the leader', async (t) => {
  await using cluster = await ProcessCluster.start(3);
  const leader = await cluster.leader();
  const followers = cluster.nodes.filter((node) => node !== leader);
  const client = new Etcd3({ hosts: followers[0]?.url ?? '' });
  t.after(() => client.close());
  await everyDay(t, client);

  await t.test('a watch, a lock and an election, and the death of the leader', async () => {
    const both = new Etcd3({ hosts: followers.map(({ url }) => url) });
    const held = both.lock('held');
    await held.acquire();
    const leading = both.election('lasting', 60).campaign('me');
    await new Promise((resolve, reject) => leading.once('elected', resolve as () => void).once('error', reject));
    const seen: string[] = [];
    const watcher = await both.watch().prefix('w/').create();
    watcher.on('put', ({ key, value }) => seen.push(`put ${key}=${value}`));
    watcher.on('delete', ({ key }) => seen.push(`delete ${key}`));
    await both.put('w/1').value('a');
    await both.delete().key('w/1');
    await eventually('both were told', 5000, async () => seen.length === 2);
    await leader.kill();
    await eventually('writes go on', 10_000, async () => {
      await both.put('w/2').value('b');
      return true;
    });
    await eventually('watches go on', 10_000, async () => seen.includes('put w/2=b'));
    assert.deepEqual(seen.slice(0, 3), ['put w/1=a', 'delete w/1', 'put w/2=b']);
    await watcher.cancel();
    await assert.rejects(both.lock('held').acquire(), EtcdLockFailedError);
    await held.release();
    await both.lock('held').do(async () => {});
    assert.equal(await both.election('lasting', 60).leader(), 'me');
    await leading.resign();
    both.close();
  });
});

async function everyDay(t: TestContext, client: Etcd3): Promise<void> {
  await t.test('keys', async () => {
    await client.put('foo').value('bar');
    assert.equal(await client.get('foo').string(), 'bar');
    assert.equal(await client.get('absent').string(), null);
    await client.put('n/1').value(1);
    await client.put('n/2').value(2);
    assert.deepEqual(await client.getAll().prefix('n/').numbers(), { 'n/1': 1, 'n/2': 2 });
    assert.deepEqual(await client.getAll().prefix('n/').sort('Key', 'Descend').keys(), ['n/2', 'n/1']);
    assert.equal(await client.getAll().prefix('n/').count(), 2);
    const { deleted } = await client.delete().prefix('n/');
    assert.equal(deleted, '2');
  });

  await t.test('a namespace', async () => {
    const users = client.namespace('users/');
    await users.put('ann').value('1');
    assert.deepEqual(await users.getAll().strings(), { ann: '1' });
    assert.equal(await client.get('users/ann').string(), '1');
    await users.delete().all();
  });

  await t.test('transactions', async () => {
    const reserve = () => client.if('seat', 'Create', '==', 0).then(client.put('seat').value('mine')).commit();
    assert.equal((await reserve()).succeeded, true);
    assert.equal((await reserve()).succeeded, false);
  });

  await t.test('software transactional memory', async () => {
    await client.put('account').value(0);
    const deposit = () =>
      client.stm({ retries: 50 }).transact(async (tx) => {
        await tx.put('account').value(Number(await tx.get('account').number()) + 1);
      });
    await Promise.all(Array.from({ length: 5 }, deposit));
    assert.equal(await client.get('account').number(), 5);
  });

  await t.test('a lease', async () => {
    const lease = client.lease(10);
    await lease.put('leased').value('v');
    assert.equal(await client.get('leased').string(), 'v');
    await lease.keepaliveOnce();
    await lease.revoke();
    assert.equal(await client.get('leased').string(), null);
    await assert.rejects(client.leaseClient.leaseRevoke({ ID: 4711 }), EtcdLeaseInvalidError);
  });

  await t.test('a lock', async () => {
    const lock = client.lock('resource');
    await lock.acquire();
    await assert.rejects(client.lock('resource').acquire(), EtcdLockFailedError);
    await lock.release();
    await client.lock('resource').do(async () => {});
  });

  await t.test('an election', async () => {
    const election = client.election('singleton', 5);
    const campaign = election.campaign('me');
    await new Promise((resolve, reject) => campaign.once('elected', resolve as () => void).once('error', reject));
    assert.equal(await election.leader(), 'me');
    const observer = await election.observe();
    await eventually('the leader is seen', 5000, async () => observer.leader() === 'me');
    await observer.cancel();
    await campaign.resign();
    assert.equal(await election.leader(), undefined);
  });
}
