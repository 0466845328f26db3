import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeCommand } from '../mvcc/index.ts';
import { encodeConfigurationData } from '../raft/index.ts';
import { openIdentity } from '../storage/index.ts';
import { type RecoverOptions, recover } from './recover.ts';
import { append, contentOf, groupId, put, scratch, someCommands, withState } from './testing/member-with-data.ts';

test('recover: one member goes on alone, with all that its log holds, committed or not, and nobody of before', async (t) => {
  const dataDir = join(scratch(t), 'member');
  const commands = [...someCommands, put('last', 'uncommitted')];
  await withState(dataDir, (state) => append(state, commands, someCommands.length));
  const { kvs } = await contentOf(dataDir);
  const recovered = await recover(options(dataDir));
  assert.deepEqual([recovered.memberId, recovered.lastIndex, recovered.uncommitted], ['1', commands.length, 1]);
  const after = await contentOf(dataDir);
  const last = after.kvs.find((kv) => kv.startsWith('last=uncommitted'));
  assert.deepEqual([...after.kvs].sort(), [...kvs, last].sort());
  await withState(dataDir, async ({ log, store }, identity) => {
    assert.deepEqual([identity.memberId, identity.clusterId], ['1', recovered.clusterId]);
    assert.notEqual(identity.clusterId, 'c1');
    assert.deepEqual(log.configurations().at(-1)?.configuration.voters, ['1']);
    assert.deepEqual(
      store.members.map(({ id, name, peerUrls }) => [id, name, ...peerUrls]),
      [['1', 'alone', 'http://new:1']],
    );
    assert.deepEqual([...store.removedMembers].sort(), ['2', '3']);
    assert.equal(store.revision, recovered.revision);
    assert(store.revision > 1_000_000_000);
  });
  // The directory is another cluster's now, whatever the old flags say.
  const old = { clusterId: 'c1', memberId: '1', name: 'n1' };
  await assert.rejects(openIdentity(dataDir, old), { name: 'StorageRefused' });
});

test('recover: learners and members that were being added are gone too, and what was removed stays removed', async (t) => {
  const dataDir = join(scratch(t), 'member');
  await withState(dataDir, async (state) => {
    await append(state, someCommands, someCommands.length);
    const member = {
      id: '9',
      name: 'l',
      peerUrls: ['http://l:1'],
      clientUrls: [],
      version: '',
      promote: 'auto',
    } as const;
    const index = state.log.lastIndex() + 1;
    const configuration = {
      voters: ['1', '2', '3'],
      votersOutgoing: [],
      learners: ['9'],
      learnersNext: [],
      autoLeave: false,
    };
    // Its entry is in the log, and was not committed.
    const data = encodeConfigurationData(configuration, encodeCommand({ kind: 'memberAdd', member }));
    await state.log.persist({ hardState: undefined, entries: [{ index, term: 3, type: 'configuration', data }] });
  });
  await recover(options(dataDir));
  await withState(dataDir, async ({ log, store }) => {
    assert.deepEqual(log.configurations().at(-1)?.configuration, {
      voters: ['1'],
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    });
    assert.deepEqual([...store.removedMembers].sort(), ['2', '3', '9']);
  });
});

test('recover: what was there is kept, as it was: nothing uncommitted was brought into it', async (t) => {
  const dataDir = join(scratch(t), 'member');
  await withState(dataDir, (state) => append(state, [...someCommands, put('last', 'x')], someCommands.length));
  const before = await contentOf(dataDir);
  const { kept } = await recover(options(dataDir));
  assert(kept !== undefined);
  assert.deepEqual(readdirSync(kept).sort(), ['data', 'identity.json', 'log', 'receipt']);
  assert.deepEqual(await contentOf(kept), before);
});

test('recover: a member that has forgotten what it promised, a damaged one and a running one are refused, and left alone', async (t) => {
  const dataDir = join(scratch(t), 'member');
  await withState(dataDir, (state) => append(state, someCommands, someCommands.length));
  await withState(dataDir, async () => {
    await assert.rejects(recover(options(dataDir)), { name: 'StorageInUse' });
  });
  writeFileSync(join(dataDir, 'log', 'CURRENT'), 'not what was written');
  await assert.rejects(recover(options(dataDir)), { name: 'DamagedStorage' });
  // Started, it heals as a suspect.
  await withState(dataDir, async ({ log }) => assert.equal(log.hardState.suspectTerm, 3));
  await assert.rejects(recover(options(dataDir)), {
    name: 'StorageRefused',
    message: /something that it had promised/,
  });
  assert(!existsSync(join(dataDir, 'rebuilding')));
  await assert.rejects(recover(options(join(dataDir, 'nothing'))), {
    name: 'StorageRefused',
    message: /no data of a member/,
  });
});

test('recover: twice from the same state makes the same cluster; from another member another one', async (t) => {
  const home = scratch(t);
  const ids: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    const dataDir = join(home, name);
    const commands = name === 'c' ? someCommands.slice(1) : someCommands;
    await withState(dataDir, (state) => append(state, commands, commands.length));
    ids.push((await recover(options(dataDir))).clusterId);
  }
  assert.equal(ids[0], ids[1]);
  assert.notEqual(ids[0], ids[2]);
});

function options(dataDir: string): RecoverOptions {
  return { dataDir, groupId, name: 'alone', peerUrls: ['http://new:1'] };
}
