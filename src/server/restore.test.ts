import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { readIdentity } from '../storage/index.ts';
import { open } from './open.ts';
import { recover } from './recover.ts';
import { type RestoreOptions, restore } from './restore.ts';
import {
  append,
  backupOf,
  contentOf,
  oldMembers,
  put,
  scratch,
  someCommands,
  withState,
} from './testing/member-with-data.ts';
import { verifyBackup } from './verify-backup.ts';

const initialCluster = ['n1', 'n2', 'n3'].map((name) => ({ name, peerUrls: [`http://${name}:2380`] }));

test('restore: on each member of a new cluster gives the same state, byte by byte, under ids that nobody had', async (t) => {
  const { home, backup, content } = await backedUp(t);
  const hashes = new Set<number | undefined>();
  const members = new Set<string>();
  const clusters = new Set<string>();
  for (const { name } of initialCluster) {
    const dataDir = join(home, name);
    const { clusterId, memberId, revision } = await restore(options(backup, dataDir, { name }));
    const restored = await contentOf(dataDir);
    assert.deepEqual(restored.kvs, content.kvs);
    hashes.add(restored.hash);
    members.add(memberId);
    clusters.add(clusterId);
    await withState(dataDir, async (state, identity) => {
      const { log, store } = state;
      assert.deepEqual(identity, { clusterId, memberId, name });
      assert.deepEqual([store.revision, store.compactRevision], [revision, revision]);
      assert(store.revision > 1_000_000_000);
      assert.deepEqual(
        [...store.removedMembers].sort(),
        oldMembers.map(({ id }) => id),
      );
      const voters = log.configurations().at(-1)?.configuration.voters;
      assert.deepEqual(
        store.members.map(({ id }) => id),
        voters,
      );
      assert.deepEqual([log.firstIndex() - 1, log.hardState.commit], [store.appliedIndex, store.appliedIndex]);
      assert.equal(log.hardState.suspectTerm, undefined);
      assert.deepEqual([...store.leases.keys()], [5n]);
      // The cluster can go on from there.
      await append(state, [put('new', '1')], store.appliedIndex + 1);
      assert.equal(store.revision, (revision ?? 0) + 1);
    });
  }
  assert.deepEqual([hashes.size, members.size, clusters.size], [1, 3, 1]);
  assert(!clusters.has('c1') && oldMembers.every(({ id }) => !members.has(id)));
});

test('restore: a member that was restored starts and serves, and so does one that was recovered', async (t) => {
  const { home, backup } = await backedUp(t);
  const restored = join(home, 'restored');
  await restore(options(backup, restored, { initialCluster: initialCluster.slice(0, 1) }));
  assert.equal(await startAndGet(restored, 'k5'), 'v5');
  const recovered = join(home, 'member');
  await recover({ dataDir: recovered, groupId: 1, name: 'n1', peerUrls: ['http://127.0.0.1:1'] });
  assert.equal(await startAndGet(recovered, 'k5'), 'v5');
  // Started again, it is still itself.
  assert.equal(await startAndGet(recovered, 'k5'), 'v5');
});

test('restore: other options make another cluster', async (t) => {
  const { home, backup } = await backedUp(t);
  const ids: string[] = [];
  for (const [i, other] of [
    {},
    { bumpRevision: 5 },
    { initialClusterToken: 'other' },
    { initialCluster: initialCluster.slice(0, 1) },
  ].entries()) {
    const { clusterId, memberId } = await restore(options(backup, join(home, `d${i}`), other));
    ids.push(clusterId, memberId);
  }
  // A cluster of fewer members has the same first one.
  assert.equal(new Set(ids).size, 7);
});

test('restore: a backup that is cut or flipped anywhere is refused, and leaves no data', async (t) => {
  const { home, backup } = await backedUp(t);
  const seed = 5;
  const { below } = seededRandom(seed);
  const dataDir = join(home, 'restored');
  for (let round = 0; round < 25; round++) {
    const at = below(backup.length);
    const flipped = Buffer.from(backup);
    flipped[at] = (flipped[at] ?? 0) ^ (1 + below(255));
    for (const wrong of [flipped, backup.subarray(0, at)]) {
      await assert.rejects(restore(options(wrong, dataDir)), { name: 'BackupDamaged' }, `seed ${seed}, byte ${at}`);
      await assert.rejects(verifyBackup(from(wrong), home), { name: 'BackupDamaged' }, `seed ${seed}, byte ${at}`);
      assert.deepEqual(existsSync(dataDir) ? readdirSync(dataDir) : [], []);
    }
  }
  await restore(options(backup, dataDir));
});

test('restore: a directory with anything in it, or a name that is not of the cluster, is refused and left alone', async (t) => {
  const { home, backup } = await backedUp(t);
  const member = join(home, 'member');
  const before = readdirSync(member).sort();
  await assert.rejects(restore(options(backup, member)), { name: 'StorageRefused', message: /not empty/ });
  assert.deepEqual(readdirSync(member).sort(), before);
  const dataDir = join(home, 'd');
  await assert.rejects(restore(options(backup, dataDir, { name: 'n9' })), {
    name: 'StorageRefused',
    message: /no member named n9/,
  });
  assert(!existsSync(dataDir));
});

test('restore: cut off while it is made it begins anew; cut off while it is put in place it goes on', async (t) => {
  const { home, backup, content } = await backedUp(t);
  const dataDir = join(home, 'd');
  mkdirSync(join(dataDir, 'rebuilding', 'data'), { recursive: true, mode: 0o700 });
  writeFileSync(join(dataDir, 'rebuilding', 'data', 'half'), 'written');
  await assert.rejects(readIdentity(dataDir), { name: 'StorageRefused', message: /was cut off.*Run it again/s });
  const first = await restore(options(backup, dataDir));
  // Each state between two renames.
  const parts = ['identity.json', 'receipt', 'data', 'log'];
  mkdirSync(join(dataDir, 'rebuilding'), { mode: 0o700 });
  for (const part of parts) {
    renameSync(join(dataDir, part), join(dataDir, 'rebuilding', part));
    await assert.rejects(readIdentity(dataDir), /was cut off/);
    const again = await restore(options(backup, dataDir));
    assert.deepEqual([again.clusterId, again.memberId], [first.clusterId, first.memberId]);
    assert.deepEqual(readdirSync(dataDir).sort(), ['data', 'identity.json', 'log', 'receipt']);
    assert.deepEqual((await contentOf(dataDir)).kvs, content.kvs);
    mkdirSync(join(dataDir, 'rebuilding'), { mode: 0o700 });
    for (const moved of parts.slice(0, parts.indexOf(part) + 1)) {
      renameSync(join(dataDir, moved), join(dataDir, 'rebuilding', moved));
    }
    await restore(options(backup, dataDir));
    mkdirSync(join(dataDir, 'rebuilding'), { mode: 0o700 });
    if (part !== 'log') renameSync(join(dataDir, 'identity.json'), join(dataDir, 'rebuilding', 'identity.json'));
  }
});

test('verify: opens the whole backup and says what is in it; what it made is gone', async (t) => {
  const { home, backup, content } = await backedUp(t);
  const before = readdirSync(home).sort();
  const bytes: number[] = [];
  const verified = await verifyBackup(from(backup), home, (count) => bytes.push(count));
  assert.equal(verified.keys, content.kvs.length);
  assert(verified.records > verified.keys);
  const { clusterId, members, createdBy, keyCount } = verified.manifest;
  assert.deepEqual([clusterId, createdBy, keyCount], ['c1', '1.2.3', content.kvs.length]);
  assert.deepEqual(
    members.map(({ name }) => name),
    ['n1', 'n2', 'n3'],
  );
  assert.doesNotMatch(JSON.stringify(verified.manifest), /http/, 'no name of any host');
  assert(bytes.length > 0);
  assert.deepEqual(readdirSync(home).sort(), before);
});

/** What a real member of that directory answers. */
async function startAndGet(dataDir: string, key: string): Promise<string> {
  const anyPort = ['http://127.0.0.1:0'];
  const node = await open({ dataDir, name: 'n1', listenClientUrls: anyPort, listenPeerUrls: anyPort });
  try {
    await node.ready;
    return await (await fetch(`${node.clientUrls[0]}/v1/kv/${key}`)).text();
  } finally {
    await node.stop();
  }
}

interface BackedUp {
  readonly home: string;
  readonly backup: Buffer;
  readonly content: Awaited<ReturnType<typeof contentOf>>;
}

async function backedUp(t: TestContext): Promise<BackedUp> {
  const home = scratch(t);
  const member = join(home, 'member');
  await withState(member, (state) => append(state, someCommands, someCommands.length));
  return { home, backup: await backupOf(member), content: await contentOf(member) };
}

function options(backup: Buffer, dataDir: string, other: Partial<RestoreOptions> = {}): RestoreOptions {
  return { backup: from(backup), dataDir, name: 'n1', initialCluster, initialClusterToken: 'balsa', ...other };
}

async function* from(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}
