import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../base/testing/manual-clock.ts';
import type { Receipt } from './receipt.ts';
import { ReceiptWriter, receiptIntervalMs } from './receipt-writer.ts';
import { memoryReceipts } from './testing/memory-receipts.ts';

test('receipt writer: the first receipt goes out at once, the next when the pause is over', async () => {
  const { clock, writer, sequences } = setUp();
  writer.note(receipt(1));
  await turn();
  writer.note(receipt(2));
  await turn();
  assert.deepEqual(sequences(), [1]);
  clock.advance(receiptIntervalMs);
  await turn();
  assert.deepEqual(sequences(), [1, 2]);
});

test('receipt writer: a receipt that is overtaken before its turn is never written', async () => {
  const { clock, writer, sequences } = setUp();
  for (let sequence = 1; sequence <= 9; sequence++) {
    writer.note(receipt(sequence));
    await turn();
  }
  clock.advance(receiptIntervalMs);
  await turn();
  assert.deepEqual(sequences(), [1, 9]);
});

test('receipt writer: one write at a time, however slow the disk', async () => {
  const { clock, receipts, writer, sequences } = setUp();
  const letGo = receipts.hold();
  for (let sequence = 1; sequence <= 9; sequence++) {
    // Two writes at once would trip the assertion of the store.
    writer.note(receipt(sequence));
    clock.advance(10 * receiptIntervalMs);
    await turn();
  }
  letGo();
  await turn();
  assert.deepEqual(sequences(), [1, 9]);
});

test('receipt writer: after a quiet time there is no pause', async () => {
  const { clock, writer, sequences } = setUp();
  writer.note(receipt(1));
  await turn();
  clock.advance(receiptIntervalMs);
  writer.note(receipt(2));
  await turn();
  assert.deepEqual(sequences(), [1, 2]);
});

test('receipt writer: flush writes what waits, without the pause', async () => {
  const { receipts, writer, sequences } = setUp();
  await writer.flush();
  const letGo = receipts.hold();
  writer.note(receipt(1));
  writer.note(receipt(2));
  const flushed = writer.flush();
  letGo();
  await flushed;
  assert.deepEqual(sequences(), [1, 2]);
});

test('receipt writer: a pause that flush has cut short does not come to its end', async () => {
  const { clock, writer, sequences } = setUp();
  writer.note(receipt(1));
  await turn();
  writer.note(receipt(2));
  await writer.flush();
  clock.advance(10 * receiptIntervalMs);
  await writer.flush();
  assert.deepEqual(sequences(), [1, 2]);
});

test('receipt writer: after a failure nothing is written any more', async () => {
  const { clock, receipts, writer, failures, sequences } = setUp();
  const reason = new Error('input/output error');
  receipts.failNextWrite(reason);
  writer.note(receipt(1));
  writer.note(receipt(2));
  await writer.flush();
  writer.note(receipt(3));
  clock.advance(10 * receiptIntervalMs);
  await writer.flush();
  assert.deepEqual(failures, [reason]);
  assert.deepEqual(sequences(), []);
});

function setUp() {
  const clock = new ManualClock();
  const receipts = memoryReceipts();
  const failures: unknown[] = [];
  const writer = new ReceiptWriter(receipts.open(), clock, (reason) => failures.push(reason));
  return { clock, receipts, writer, failures, sequences: () => receipts.written.map(({ sequence }) => sequence) };
}

function receipt(sequence: number): Receipt {
  return { clusterId: 'cafe', memberId: 'a1', sequence, term: 1, vote: undefined, lastIndex: 0, lastTerm: 0, chain: 0 };
}

/** Everything that is already resolved is handled. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
