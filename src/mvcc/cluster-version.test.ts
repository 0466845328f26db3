import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryLevel } from 'memory-level';
import { decodeCommand, encodeCommand, MalformedBytes } from './index.ts';
import { members, openTestStore } from './testing/test-store.ts';

const agree = (version: string) => ({ kind: 'clusterVersion', version }) as const;
const buffers = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;

test('cluster version: a store of before has the first one; it rises, never falls, and stays', async () => {
  const database = new MemoryLevel<Buffer, Buffer>(buffers);
  const { store, apply } = await openTestStore(database);
  assert.equal(store.clusterVersion, '0.1');
  for (const [version, then] of [
    ['0.1', '0.1'],
    ['0.9', '0.9'],
    ['0.2', '0.9'],
    ['0.10', '0.10'],
    ['1.0', '1.0'],
    ['0.99', '1.0'],
  ] as const) {
    assert.deepEqual(await apply(agree(version)), { kind: 'done', revision: 1 });
    assert.equal(store.clusterVersion, then);
  }
  await store.close();
  const reopened = await openTestStore(database);
  assert.equal(reopened.store.clusterVersion, '1.0');
  assert.deepEqual(reopened.store.members, members);
  await reopened.store.close();
});

test('cluster version: the command, byte for byte; what is no version is refused', () => {
  const hex = '0213' + '00000003302e32';
  assert.equal(encodeCommand(agree('0.2')).toString('hex'), hex);
  assert.deepEqual(decodeCommand(Buffer.from(hex, 'hex')), agree('0.2'));
  for (const odd of ['', '0', '0.2.0', 'v0.2', '0.2 ', '1e3.0']) {
    assert.throws(() => decodeCommand(encodeCommand(agree(odd))), MalformedBytes, odd);
  }
});
