import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import type { TxnOperation } from '../../src/contract/txn.ts';
import { checkTxn } from './check-txn.ts';
import { printable, printableBytes } from './printable.ts';
import {
  applyStep,
  defaultKnobs,
  describeStep,
  type HistoryKnobs,
  RandomHistory,
  type Step,
} from './random-history.ts';
import { StoreModel } from './store-model.ts';

test('random history: the same seed gives the same steps and outcomes, another seed others', () => {
  const story = (seed: number): string =>
    run(seed, 300)
      .map(({ step, outcome }) => `${describeStep(step)} ${outcome}`)
      .join('\n');
  assert.equal(story(1), story(1));
  assert.notEqual(story(1), story(2));
});

test('random history: every kind of step succeeds often and is refused for every reason there is', () => {
  const kinds = new Map<string, number>();
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    for (const { step, kind } of run(seed, 800)) {
      const name = step.kind === 'write' ? step.write.kind : step.kind;
      kinds.set(`${name} ${kind}`, (kinds.get(`${name} ${kind}`) ?? 0) + 1);
    }
  }
  const happened = (name: string, times: number): void => {
    assert((kinds.get(name) ?? 0) >= times, `${name}: ${kinds.get(name) ?? 0} times`);
  };
  for (const name of ['get', 'range', 'events', 'put', 'delete', 'deleteRange', 'txn']) happened(`${name} done`, 50);
  for (const name of ['leaseGrant', 'leaseRevoke', 'leaseCheckpoint', 'compact']) happened(`${name} done`, 20);
  for (const name of ['put', 'delete']) happened(`${name} precondition_failed`, 20);
  for (const name of ['put', 'txn']) {
    for (const kind of ['lease_not_found', 'key_not_found', 'bad_request']) happened(`${name} ${kind}`, 5);
  }
  for (const name of ['get', 'range', 'txn', 'compact']) {
    for (const kind of ['compacted', 'future_revision']) happened(`${name} ${kind}`, 3);
  }
  happened('events compacted', 10);
  happened('leaseGrant lease_exists', 20);
  happened('leaseRevoke lease_not_found', 10);
});

test('random history: transactions are nested, and both branches are done', () => {
  const deepest = new Map<number, number>();
  const branches = { success: 0, failure: 0 };
  for (const { step, outcome } of run(7, 2_000)) {
    if (step.kind !== 'write' || step.write.kind !== 'txn') continue;
    const { txn } = step.write;
    const depth = depthOf([...txn.success, ...txn.failure]);
    deepest.set(depth, (deepest.get(depth) ?? 0) + 1);
    if (checkTxn(txn) === undefined) branches[outcome.includes('succeeded: true') ? 'success' : 'failure']++;
  }
  assert.deepEqual([...deepest.keys()].sort(), [0, 1, 2, 3]);
  assert(Math.min(...deepest.values()) >= 10 && Math.min(branches.success, branches.failure) >= 50);
});

test('random history: a key is put and deleted by one revision, unless the knob says never', () => {
  const twice = (putThenDeletePercent: number): number => {
    const model = new StoreModel();
    const history = new RandomHistory(seededRandom(1), { putThenDeletePercent });
    for (let step = 0; step < 4_000; step++) applyStep(model, history.next(model));
    const revisions = model.log.map(({ events }) => events.map(({ kv }) => printableBytes(kv.key)));
    return revisions.filter((keys) => new Set(keys).size < keys.length).length;
  };
  const found = twice(3);
  assert(found >= 5, `${found} times`);
  assert.equal(twice(0), 0);
});

test('random history: a step that is repeated changes nothing and is answered as before', () => {
  const first = new Map<string, string>();
  let repeated = 0;
  for (const { step, outcome, isChange } of run(3, 1_000, { tokenPercent: 60 })) {
    if (step.kind !== 'write' || step.token === undefined) continue;
    const id = `${step.token} ${printable(step.write)}`;
    const before = first.get(id);
    if (before === undefined) first.set(id, outcome);
    else {
      repeated++;
      assert.equal(outcome, before);
      assert.equal(isChange, false);
    }
  }
  assert(repeated > 50);
});

test('random history: a weight of 0 is never', () => {
  const weights = { ...defaultKnobs.weights, write: 1, get: 0, range: 0, events: 0, compact: 0, txn: 0 };
  for (const { step } of run(1, 300, { weights })) {
    assert(step.kind === 'write' && step.write.kind !== 'compact' && step.write.kind !== 'txn');
  }
});

test('printable: equal values have equal texts, different bytes different ones', () => {
  assert.equal(
    printable({ b: Buffer.from('x\0'), a: 1n, c: undefined }),
    printable({ a: 1n, b: Uint8Array.of(0x78, 0) }),
  );
  assert.equal(printable([{ a: "it's" }, null, 2n ** 63n]), '[{a: "it\'s"}, null, 9223372036854775808n]');
  assert.equal(printableBytes(Buffer.from("a'\\ \xff", 'latin1')), "'a\\x27\\x5c\\x20\\xff'");
  assert.notEqual(printable({ a: 1 }), printable({ a: 1n }));
});

interface Done {
  readonly step: Step;
  readonly kind: string;
  readonly outcome: string;
  readonly isChange: boolean;
}

function run(seed: number, steps: number, knobs: Partial<HistoryKnobs> = {}): readonly Done[] {
  const model = new StoreModel();
  const history = new RandomHistory(seededRandom(seed), knobs);
  return Array.from({ length: steps }, () => {
    const step = history.next(model);
    const { revision } = model;
    const outcome = applyStep(model, step);
    return { step, kind: outcome.kind, outcome: printable(outcome), isChange: model.revision !== revision };
  });
}

function depthOf(operations: readonly TxnOperation[]): number {
  const depths = operations.map((operation) =>
    operation.kind === 'txn' ? 1 + depthOf([...operation.txn.success, ...operation.txn.failure]) : 0,
  );
  return Math.max(0, ...depths);
}
