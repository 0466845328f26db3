import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { BalsaError } from '../../src/contract/errors.ts';
import { keyRange } from '../../src/contract/key-range.ts';
import { type TxnOperation, type TxnRequest, txnLimits } from '../../src/contract/txn.ts';
import { checkTxn } from '../../src/replica/check-txn.ts';
import { checkTxn as checkTxnOfModel } from './check-txn.ts';
import { printable } from './printable.ts';
import { defaultKnobs, type HistoryKnobs, RandomHistory, uglyKeys } from './random-history.ts';

const valueBytesMax = 1024;
const surroundings = { revision: 20, compactRevision: 5 };

test('check txn: the server and the model refuse the same random transactions, and for the same reason', () => {
  const reasons = new Map<string, number>();
  const few = uglyKeys.slice(0, 6);
  agree(reasons, 1, 20_000, {});
  agree(reasons, 2, 10_000, { keys: few, txnOperationsMax: 3 });
  agree(reasons, 3, 5000, { txnNestingMax: 0, txnOperationsMax: 12 });
  agree(reasons, 4, 5000, { txnNestingMax: txnLimits.depthMax + 1, txnOperationsMax: 4 });
  for (const reason of ['none', 'duplicate key', 'too deep']) {
    assert.ok((reasons.get(reason) ?? 0) > 100, `${reason}: ${reasons.get(reason)} of ${printable([...reasons])}`);
  }
});

test('check txn: the server and the model agree on transactions that are spoilt in one place', () => {
  const seed = 5;
  const random = seededRandom(seed);
  const history = historyOf(random, { badTxnPercent: 0 });
  const reasons = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const txn = spoil(random, history());
    assertAgreed(txn, `seed ${seed}, transaction ${i}`, reasons);
  }
  for (const reason of ['none', 'duplicate key', 'empty key', 'value is provided', 'lease is provided']) {
    assert.ok((reasons.get(reason) ?? 0) > 100, `${reason}: ${reasons.get(reason)} of ${printable([...reasons])}`);
  }
});

test('check txn: the server and the model count operations alike, also nested ones', () => {
  const seed = 6;
  const random = seededRandom(seed);
  const reasons = new Map<string, number>();
  for (let i = 0; i < 5000; i++) {
    const txn = broad(random, 2 + random.below(txnLimits.depthMax));
    assertAgreed(txn, `seed ${seed}, transaction ${i}`, reasons);
  }
  for (const reason of ['none', 'too many operations', 'too deep']) {
    assert.ok((reasons.get(reason) ?? 0) > 100, `${reason}: ${reasons.get(reason)} of ${printable([...reasons])}`);
  }
});

function agree(reasons: Map<string, number>, seed: number, count: number, knobs: Partial<HistoryKnobs>): void {
  const next = historyOf(seededRandom(seed), { badTxnPercent: 100, ...knobs });
  for (let i = 0; i < count; i++) assertAgreed(next(), `seed ${seed}, transaction ${i}`, reasons);
}

function assertAgreed(txn: TxnRequest, where: string, reasons: Map<string, number>): void {
  const expected = reasonOf(checkTxnOfModel(txn));
  assert.equal(reasonOf(refusalOf(txn)), expected, `${where}: ${printable(txn)}`);
  reasons.set(expected, (reasons.get(expected) ?? 0) + 1);
}

/** What the server says; all of its refusals here are of the form. */
function refusalOf(txn: TxnRequest): string | undefined {
  try {
    checkTxn(txn, valueBytesMax);
    return undefined;
  } catch (reason) {
    assert.ok(reason instanceof BalsaError, String(reason));
    assert.equal(reason.code, 'bad_request');
    return reason.detail;
  }
}

/** In words of both: of the model's reasons and the server's sentences. */
function reasonOf(text: string | undefined): string {
  if (text === undefined) return 'none';
  const known: readonly (readonly [reason: string, words: RegExp])[] = [
    ['too deep', /too deep|nested more than/],
    ['too many operations', /too many operations|operations or comparisons/],
    ['empty key', /empty/],
    ['value is provided', /value is provided|keeps the value/],
    ['lease is provided', /lease is provided|keeps the lease/],
    ['duplicate key', /duplicate key|written twice/],
  ];
  const reason = known.find(([, words]) => words.test(text))?.[0];
  assert.ok(reason, `a reason that the test does not know: ${text}`);
  return reason;
}

function historyOf(random: Random, knobs: Partial<HistoryKnobs>): () => TxnRequest {
  const nothing = Object.fromEntries(Object.keys(defaultKnobs.weights).map((kind) => [kind, 0]));
  const weights = { ...(nothing as HistoryKnobs['weights']), write: 1, txn: 1 };
  const history = new RandomHistory(random, { tokenPercent: 0, ...knobs, weights });
  return () => {
    const step = history.next(surroundings);
    assert.ok(step.kind === 'write' && step.write.kind === 'txn');
    return step.write.txn;
  };
}

/** One operation, somewhere in it, breaks a rule or is doubled; or none, where there is none. */
function spoil(random: Random, txn: TxnRequest): TxnRequest {
  const branch = random.below(2) === 0 ? 'success' : 'failure';
  const operations = [...txn[branch]];
  const at = random.below(operations.length + 1);
  const found = operations[at];
  if (found?.kind === 'txn') {
    operations[at] = { kind: 'txn', txn: spoil(random, found.txn) };
    return { ...txn, [branch]: operations };
  }
  const lease = 1n;
  const key = uglyKeys[random.below(uglyKeys.length)] as Uint8Array;
  const nothing = new Uint8Array();
  const value = Uint8Array.of(1);
  const spoilt: readonly TxnOperation[] = [
    { kind: 'put', key: nothing, value },
    { kind: 'put', key, value, keepsValue: true },
    { kind: 'put', key, value, keepsLease: true, lease },
    { kind: 'put', key, value },
    { kind: 'delete', range: keyRange(nothing) },
    { kind: 'delete', range: keyRange(key) },
    { kind: 'delete', range: { start: nothing, end: undefined } },
  ];
  operations.splice(at, 0, spoilt[random.below(spoilt.length)] as TxnOperation);
  return { ...txn, [branch]: operations };
}

/** About as many operations as may be, in about as many levels; of one key that is only read. */
function broad(random: Random, levels: number): TxnRequest {
  const read = {
    kind: 'range',
    range: keyRange(Uint8Array.of(1)),
    limit: 0,
    keysOnly: false,
    countOnly: false,
    sort: 'key',
    order: 'asc',
  } as const;
  let txn: TxnRequest = { compare: [], success: [], failure: [] };
  const share = Math.floor(txnLimits.operationsMax / levels);
  for (let level = 0; level < levels; level++) {
    const reads = Array.from({ length: share - 2 + random.below(4) }, () => read);
    const operations: TxnOperation[] = level === 0 ? reads : [...reads, { kind: 'txn', txn }];
    const compare = Array.from({ length: random.below(share + 1) }, () => {
      return { range: read.range, is: '=', target: 'version', value: 0 } as const;
    });
    const [success, failure] = random.below(2) === 0 ? [operations, []] : [reads, operations];
    txn = { compare, success, failure };
  }
  return txn;
}
