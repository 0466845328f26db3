import assert from 'node:assert/strict';
import { chmod, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { crc32c } from '../base/checksum.ts';
import { seededRandom } from '../base/random.ts';
import type { Receipt, ReceiptStore } from './receipt.ts';
import { openReceiptFile } from './receipt-file.ts';
import { decodeSlot, encodeSlot, slotBytes, slotCount } from './receipt-slot.ts';

test('receipt file: the newest receipt comes back, for more rounds than there are slots', async (t) => {
  const path = await temporaryPath(t);
  assert.equal(await readOnce(path), undefined);
  await writeMany(path, 300);
  assert.deepEqual(await readOnce(path), receipt(300));
  assert.equal((await stat(path)).size, slotBytes * slotCount);
  await writeMany(path, 301);
  assert.deepEqual(await readOnce(path), receipt(301));
});

test('receipt file: every field comes back, with a vote and without', async (t) => {
  const path = await temporaryPath(t);
  for (const vote of [undefined, 'ffffffffffffffff']) {
    const written: Receipt = { ...receipt(1), vote, lastIndex: Number.MAX_SAFE_INTEGER, chain: 0xffffffff };
    await using(path, (store) => store.write(written));
    assert.deepEqual(await readOnce(path), written);
  }
});

test('receipt file: it is private, and one that others can read is refused', async (t) => {
  const path = await temporaryPath(t);
  await writeMany(path, 1);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await chmod(path, 0o644);
  await assert.rejects(openReceiptFile(path), { name: 'StorageRefused', message: /mode 644.*chmod 600/ });
});

test('receipt file: a slot whose writing was cut off leaves the receipt before it', async (t) => {
  const path = await temporaryPath(t);
  await writeMany(path, 5);
  for (const tornBytes of [1, 100, 511]) {
    const slotEnd = 6 * slotBytes;
    const torn = (await readFile(path)).subarray(slotEnd - tornBytes, slotEnd);
    await overwrite(
      path,
      slotEnd - tornBytes,
      torn.map((byte) => byte ^ 0xff),
    );
    assert.deepEqual(await readOnce(path), receipt(4));
  }
});

test('receipt file: without one intact receipt it is damaged, not empty', async (t) => {
  const path = await temporaryPath(t);
  await writeMany(path, 1);
  await overwrite(path, slotBytes + 20, Buffer.from([0xee]));
  await assert.rejects(openReceiptFile(path), { name: 'DamagedStorage', message: /None of the 1 receipts/ });
});

test('receipt file: one whose making was cut off is empty', async (t) => {
  const path = await temporaryPath(t);
  for (const bytes of [0, 1000, slotBytes * slotCount]) {
    await writeFile(path, Buffer.alloc(bytes), { mode: 0o600 });
    assert.equal(await readOnce(path), undefined);
    await writeMany(path, 2);
    assert.deepEqual(await readOnce(path), receipt(2));
    await rm(path);
  }
});

test('receipt file: one that was cut short goes by what is left', async (t) => {
  const path = await temporaryPath(t);
  await writeMany(path, 5);
  await truncate(path, 4 * slotBytes + 100);
  assert.deepEqual(await readOnce(path), receipt(3));
});

test('receipt file: a newer format is refused, not damaged', async (t) => {
  const path = await temporaryPath(t);
  await writeMany(path, 1);
  // Format version 2 with a checksum that fits.
  const future = Buffer.alloc(slotBytes);
  future[0] = 2;
  future.writeUInt32BE(crc32c(future, 0, 0, slotBytes - 4), slotBytes - 4);
  await overwrite(path, 2 * slotBytes, future);
  await assert.rejects(openReceiptFile(path), { name: 'StorageRefused', message: /format 2/ });
});

test('receipt file: of two processes that write, one is stopped', async (t) => {
  const path = await temporaryPath(t);
  await writeMany(path, 3);
  const [one, two] = [await openReceiptFile(path), await openReceiptFile(path)];
  await one.write(receipt(4));
  await assert.rejects(two.write(receipt(4)), { name: 'StorageInUse', message: /Another process writes receipts/ });
  await one.write(receipt(5));
  assert.notEqual(one.bootId, two.bootId);
  await one.close();
  await two.close();
});

test('receipt slot: the format does not move', () => {
  const slot = encodeSlot({ count: 3, bootId: 'b007', receipt: receipt(9) });
  const fields = slot.subarray(0, slot.indexOf('b007') + 4).toString('hex');
  const numbers = '0000000000000003000000000000000900000000000000020000000000000009000000000000000200003039';
  assert.equal(fields, `01${numbers}000463616665${'00026131'.repeat(2)}000462303037`);
  assert.equal(slot.subarray(-4).toString('hex'), 'c2565cec');
});

test('receipt slot: every flipped bit is noticed, and arbitrary bytes are damaged', () => {
  const slot = encodeSlot({ count: 3, bootId: 'b007', receipt: receipt(9) });
  for (let bit = 0; bit < slot.length * 8; bit++) {
    const flipped = Buffer.from(slot);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(decodeSlot(flipped).kind, 'damaged', `bit ${bit}`);
  }
  const seed = 3;
  const random = seededRandom(seed);
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(Array.from({ length: random.below(slotBytes + 1) }, () => random.below(256)));
    assert(['damaged', 'empty'].includes(decodeSlot(bytes).kind), `seed ${seed}, round ${round}`);
  }
});

function receipt(sequence: number): Receipt {
  const term = 2;
  return {
    clusterId: 'cafe',
    memberId: 'a1',
    sequence,
    term,
    vote: 'a1',
    lastIndex: sequence,
    lastTerm: term,
    chain: 12345,
  };
}

/** Goes on from whatever is there up to `sequence`. */
async function writeMany(path: string, sequence: number): Promise<void> {
  await using(path, async (store) => {
    const newest = await store.read();
    for (let next = (newest?.sequence ?? 0) + 1; next <= sequence; next++) await store.write(receipt(next));
  });
}

function readOnce(path: string): Promise<Receipt | undefined> {
  return using(path, (store) => store.read());
}

async function using<T>(path: string, use: (store: ReceiptStore) => Promise<T>): Promise<T> {
  const store = await openReceiptFile(path);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

async function overwrite(path: string, position: number, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'r+');
  await handle.write(bytes, 0, bytes.length, position);
  await handle.close();
  assert.equal((await readFile(path)).length, slotBytes * slotCount);
}

async function temporaryPath(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-receipt-'));
  t.after(() => rm(directory, { recursive: true }));
  return join(directory, 'receipt');
}
