import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreExport } from '../mvcc/index.ts';
import { SnapshotSender } from './snapshot-sender.ts';
import { decodeDescription, encodeChunkQuestion } from './snapshot-transfer.ts';
import { TestMembers } from './testing/members.ts';
import { put } from './testing/requests.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

async function sending(members: TestMembers): Promise<SnapshotSender> {
  const { store, replica } = await members.leader();
  const { log, logger } = replica.options;
  return new SnapshotSender({ log, store, logger, clock: members.clock });
}

test('snapshot sender: gives all that was applied, so that nobody is offered the same snapshot again', async () => {
  await using members = await TestMembers.start(1);
  const leader = await members.leader();
  for (let i = 0; i < 20; i++) await members.settle(put(leader, `k${i}`, 'v'));
  const sender = await sending(members);
  const described = decodeDescription(await members.settle(sender.open('2')));
  assert.equal(described?.index, leader.store.appliedIndex);
  assert.equal(sender.neededFrom, described?.index, 'entries behind it are kept');
  await sender.close();
  assert.equal(sender.neededFrom, undefined);
});

test('snapshot sender: a chunk whose answer was lost is given again, and none before it', async () => {
  await using members = await TestMembers.start(1);
  const leader = await members.leader();
  await members.settle(put(leader, 'k', 'v'.repeat(700_000)));
  const sender = await sending(members);
  const { transfer = 0 } = decodeDescription(await members.settle(sender.open('2'))) ?? {};
  const ask = (chunk: number) => members.settle(sender.chunk(encodeChunkQuestion({ transfer, chunk })));
  const [first, again] = [await ask(0), await ask(0)];
  assert.deepEqual(first, again);
  assert.equal((await ask(1))[0], 1);
  assert.equal((await ask(0))[0], 0, 'it is gone');
  assert.equal((await ask(2))[0], 2, 'there are no more');
  await sender.close();
  assert.equal((await ask(2))[0], 0);
});

test('snapshot sender: whoever asks for nothing any more holds nothing', async () => {
  await using members = await TestMembers.start(1);
  const sender = await sending(members);
  await members.settle(sender.open('2'));
  const later = members.clock.monotonicMs() + 31_000;
  await members.clock.until('a while', () => members.clock.monotonicMs() > later, 60_000);
  sender.endSilent();
  assert.equal(sender.neededFrom, undefined);
});

test('snapshot sender: rests twice as long as reading took, so that a busy leader is left alone', async () => {
  await using members = await TestMembers.start(1);
  const leader = await members.leader();
  await members.settle(put(leader, 'k', 'v'.repeat(700_000)));
  const { log, logger } = leader.replica.options;
  const clock = new VirtualClock();
  const openExport = async (): Promise<StoreExport> => {
    const source = await leader.store.openExport();
    const next = source.next.bind(source);
    const slowNext: StoreExport['next'] = (bytesMax) => {
      clock.advance(10);
      return next(bytesMax);
    };
    return Object.assign(source, { next: slowNext });
  };
  const store = { flush: () => leader.store.flush(), openExport };
  const sender = new SnapshotSender({ log, store, logger, clock });
  const { transfer = 0 } = decodeDescription(await members.settle(sender.open('2'))) ?? {};
  await sender.chunk(encodeChunkQuestion({ transfer, chunk: 0 }));
  let isThere = false;
  const second = sender.chunk(encodeChunkQuestion({ transfer, chunk: 1 })).then(() => {
    isThere = true;
  });
  await clock.pass(19);
  assert.equal(isThere, false);
  await clock.pass(1);
  assert.equal(isThere, true);
  await second;
  await sender.close();
});
