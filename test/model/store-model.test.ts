import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { keyRange, prefixRange } from '../../src/contract/key-range.ts';
import type { KeyRange, KeyValue, PutRequest, RangeRequest, Revision } from '../../src/contract/kv.ts';
import type { Compare, TxnOperation, TxnRequest, TxnResult } from '../../src/contract/txn.ts';
import type { WatchEvent, WatchRequest } from '../../src/contract/watch.ts';
import { compareTarget } from './key-order.ts';
import type { Outcome, Refusal } from './outcome.ts';
import { printable, printableBytes } from './printable.ts';
import { applyStep, describeStep, RandomHistory } from './random-history.ts';
import { StoreModel } from './store-model.ts';

test('model: revisions: an empty store is at 1, each put is a revision, deleting nothing is none', () => {
  const model = new StoreModel();
  assert.equal(model.revision, 1);
  assert.equal(done(put(model, 'a', '1')).revision, 2);
  assert.equal(done(put(model, 'a', '1')).revision, 3, 'the same value again is a change, too');
  assert.deepEqual(list(model), ['a=1 2/3/2']);

  assert.equal(done(remove(model, 'nothing')).revision, 3);
  assert.equal(done(model.deleteRange({ range: prefix('n') })).revision, 3);
  assert.equal(done(remove(model, 'a')).revision, 4);
  assert.deepEqual(list(model), []);
});

test('model: a key that is created again has a new create revision and version 1', () => {
  const model = new StoreModel();
  put(model, 'a', '1');
  put(model, 'a', '2');
  remove(model, 'a');
  const answer = done(put(model, 'a', '3'));
  assert.deepEqual(list(model), ['a=3 5/5/1']);
  const { created, createRevision, modRevision, version } = answer;
  assert.deepEqual(
    { created, createRevision, modRevision, version },
    { created: true, createRevision: 5, modRevision: 5, version: 1 },
  );
});

test('model: put: conditions are about the key as it is', () => {
  const model = new StoreModel();
  refused(put(model, 'a', '1', { condition: { kind: 'exists' } }), {
    kind: 'precondition_failed',
    modRevision: undefined,
  });
  done(put(model, 'a', '1', { condition: { kind: 'absent' } }));
  refused(put(model, 'a', '2', { condition: { kind: 'absent' } }), { kind: 'precondition_failed', modRevision: 2 });
  refused(put(model, 'a', '2', { condition: { kind: 'modRevisionIn', revisions: [1, 3] } }), {
    kind: 'precondition_failed',
    modRevision: 2,
  });
  done(put(model, 'a', '2', { condition: { kind: 'modRevisionIn', revisions: [1, 2] } }));
  assert.deepEqual(list(model), ['a=2 2/3/2']);
});

test('model: put: previous, keepsValue and keepsLease', () => {
  const model = new StoreModel();
  done(model.leaseGrant(7n, 10));
  refused(put(model, 'a', '', { keepsValue: true }), { kind: 'key_not_found' });
  refused(put(model, 'a', '1', { keepsLease: true }), { kind: 'key_not_found' });
  done(put(model, 'a', '1', { lease: 7n }));
  assert.deepEqual(list(model), ['a=1 2/2/1 lease 7']);
  done(put(model, 'a', '2', { keepsLease: true }));
  assert.deepEqual(list(model), ['a=2 2/3/2 lease 7']);
  const answer = done(put(model, 'a', '', { keepsValue: true, previous: true }));
  assert.deepEqual(list(model), ['a=2 2/4/3'], 'a put without a lease unbinds');
  assert.equal(answer.previous && describe(answer.previous), 'a=2 2/3/2 lease 7');

  refused(put(model, 'a', 'x', { keepsValue: true }), { kind: 'bad_request' });
  refused(put(model, 'a', 'x', { keepsLease: true, lease: 7n }), { kind: 'bad_request' });
  assert.equal(model.revision, 4);
});

test('model: keys are bytes, and sort as bytes', () => {
  const model = new StoreModel();
  for (const key of ['b', 'a\xff', 'a', '\xff', 'a\0', '\0', 'a\0\0']) put(model, key, '');
  const keys = (range: KeyRange): readonly string[] => listed(model, range).map(({ key }) => text(key));
  assert.deepEqual(keys(everything), ['\0', 'a', 'a\0', 'a\0\0', 'a\xff', 'b', '\xff']);
  assert.deepEqual(keys(prefix('a')), ['a', 'a\0', 'a\0\0', 'a\xff']);
  assert.deepEqual(keys(keyRange(bytes('a'))), ['a']);
  assert.deepEqual(keys({ start: bytes('a\xff'), end: undefined }), ['a\xff', 'b', '\xff']);
  assert.deepEqual(keys({ start: bytes('b'), end: bytes('a') }), []);
  assert.deepEqual(keys(prefix('\xff')), ['\xff']);
});

test('model: range: the count is of the whole range, whatever is left out by limit and bounds', () => {
  const model = new StoreModel();
  for (const key of ['a', 'b', 'c', 'd']) put(model, key, key);
  put(model, 'a', 'z');
  const range = (request: Partial<RangeRequest>): string => {
    const { kvs, count, more } = done(model.range({ ...rangeRequest, ...request }));
    return `${kvs.map(({ key, value }) => `${text(key)}${text(value)}`).join(' ')} (${count}${more ? ', more' : ''})`;
  };
  assert.equal(range({}), 'az bb cc dd (4)');
  assert.equal(range({ limit: 2 }), 'az bb (4, more)');
  assert.equal(range({ limit: 4 }), 'az bb cc dd (4)');
  assert.equal(range({ bounds: { minModRevision: 4, maxModRevision: 5 } }), 'cc dd (4)');
  assert.equal(range({ bounds: { minModRevision: 4, maxModRevision: 5 }, limit: 2 }), 'cc dd (4)', 'nothing was cut');
  assert.equal(range({ bounds: { maxCreateRevision: 3 }, limit: 1 }), 'az (4, more)');
  assert.equal(range({ sort: 'modRevision', order: 'desc', limit: 3 }), 'az dd cc (4, more)');
  assert.equal(range({ sort: 'value', order: 'asc' }), 'bb cc dd az (4)');
  assert.equal(range({ sort: 'value', order: 'desc', keysOnly: true }), 'a d c b (4)', 'by values that are not told');
  assert.equal(range({ sort: 'version', order: 'desc', limit: 1 }), 'az (4, more)');
  assert.equal(range({ countOnly: true, limit: 1, bounds: { minModRevision: 6 } }), ' (4)');
  assert.equal(range({ revision: 3 }), 'aa bb (2)');
});

test('model: the past can be read until it is compacted, the compact revision itself as well', () => {
  const model = new StoreModel();
  put(model, 'a', '1');
  put(model, 'a', '2');
  remove(model, 'a');
  const valueAt = (revision: Revision): string => {
    const outcome = model.get(bytes('a'), revision);
    return outcome.kind === 'done' ? (outcome.kv ? text(outcome.kv.value) : 'none') : outcome.kind;
  };
  assert.deepEqual([1, 2, 3, 4, 5].map(valueAt), ['none', '1', '2', 'none', 'future_revision']);

  refused(model.compact(5), { kind: 'future_revision' });
  assert.equal(done(model.compact(3)).revision, 4, 'compacting is no revision');
  refused(model.compact(3), { kind: 'compacted', compactRevision: 3 });
  assert.deepEqual([2, 3, 4].map(valueAt), ['compacted', '2', 'none']);
});

test('model: txn: one revision for all that it does, in order, each step seeing those before it', () => {
  const model = new StoreModel();
  put(model, 'a', '1');
  put(model, 'ab', '1');
  const { revision, succeeded, results } = done(
    model.txn({
      compare: [compare('a', '=', 'version', 1)],
      success: [
        { kind: 'put', key: bytes('x'), value: bytes('1'), previous: true },
        { kind: 'range', ...rangeRequest },
        { kind: 'delete', range: prefix('a'), previous: true },
        { kind: 'range', ...rangeRequest },
        { kind: 'range', ...rangeRequest, revision: 3 },
      ],
      failure: [],
    }),
  );
  assert.equal(revision, 4);
  assert.equal(succeeded, true);
  assert.deepEqual(results.map(describeResult), [
    'put 4/1',
    'range a=1 2/2/1, ab=1 3/3/1, x=1 4/4/1',
    'delete 2: a=1 2/2/1, ab=1 3/3/1',
    'range x=1 4/4/1',
    'range a=1 2/2/1, ab=1 3/3/1',
  ]);
  assert.deepEqual(events(model, { revision: 4 }), ['4: put x=1 4/4/1, delete a= 0/4/0, delete ab= 0/4/0']);
});

test('model: txn: what changes nothing is no revision', () => {
  const model = new StoreModel();
  put(model, 'a', '1');
  const { revision, succeeded, results } = done(
    model.txn({
      compare: [compare('a', '>', 'version', 1)],
      success: [{ kind: 'put', key: bytes('b'), value: bytes('1') }],
      failure: [
        { kind: 'delete', range: keyRange(bytes('b')) },
        { kind: 'range', ...rangeRequest },
      ],
    }),
  );
  assert.deepEqual([revision, succeeded], [2, false]);
  assert.deepEqual(results.map(describeResult), ['delete 0: ', 'range a=1 2/2/1']);
});

test('model: txn: a refusal anywhere leaves everything as it was', () => {
  const model = new StoreModel();
  put(model, 'a', '1');
  put(model, 'a', '2');
  done(model.compact(3));
  const first: TxnOperation = { kind: 'put', key: bytes('b'), value: bytes('1') };
  const refusedWith = (operation: TxnOperation): string => {
    const nested: TxnOperation = { kind: 'txn', txn: { compare: [], success: [operation], failure: [] } };
    const kinds = [operation, nested].map(
      (second) => model.txn({ compare: [], success: [first, second], failure: [] }).kind,
    );
    assert.equal(kinds[0], kinds[1]);
    return kinds[0] ?? '';
  };
  assert.equal(refusedWith({ kind: 'put', key: bytes('c'), value: bytes('1'), lease: 9n }), 'lease_not_found');
  assert.equal(refusedWith({ kind: 'put', key: bytes('c'), value: bytes(''), keepsValue: true }), 'key_not_found');
  assert.equal(refusedWith({ kind: 'range', ...rangeRequest, revision: 2 }), 'compacted');
  assert.equal(refusedWith({ kind: 'range', ...rangeRequest, revision: 4 }), 'future_revision');
  assert.equal(refusedWith({ kind: 'put', key: bytes('b'), value: bytes('2') }), 'bad_request');
  assert.deepEqual(list(model), ['a=2 2/3/2']);
  assert.equal(model.revision, 3);
});

test('model: txn: a refusal in the branch that is not done does not matter', () => {
  const model = new StoreModel();
  const put9: TxnOperation = { kind: 'put', key: bytes('c'), value: bytes('1'), lease: 9n };
  const answer = done(model.txn({ compare: [], success: [], failure: [put9] }));
  assert.deepEqual([answer.succeeded, answer.revision], [true, 1]);
});

test('model: txn: nested comparisons see the state before the whole transaction, nested reads do not', () => {
  const model = new StoreModel();
  const nested: TxnRequest = {
    compare: [compare('a', '>', 'version', 0)],
    success: [],
    failure: [{ kind: 'range', ...rangeRequest }],
  };
  const { results } = done(
    model.txn({
      compare: [],
      success: [
        { kind: 'put', key: bytes('a'), value: bytes('1') },
        { kind: 'txn', txn: nested },
      ],
      failure: [],
    }),
  );
  assert.deepEqual(results.map(describeResult), ['put 2/1', 'txn false [range a=1 2/2/1]']);
});

test('model: txn: a key that is put and then deleted by nested transactions: both are events of the revision', () => {
  const model = new StoreModel();
  put(model, 'a', '1');
  const steps: readonly TxnOperation[] = [
    { kind: 'put', key: bytes('a'), value: bytes('2') },
    { kind: 'delete', range: prefix('a'), previous: true },
  ];
  const nested = steps.map(
    (step): TxnOperation => ({ kind: 'txn', txn: { compare: [], success: [step], failure: [] } }),
  );
  const { results } = done(model.txn({ compare: [], success: nested, failure: [] }));
  assert.deepEqual(results.map(describeResult), ['txn true [put 2/2]', 'txn true [delete 1: a=2 2/3/2]']);
  assert.deepEqual(list(model), []);
  // A watch tells what was before the revision, a transaction what was before the step.
  assert.deepEqual(events(model, { revision: 3, previous: true }), [
    '3: put a=2 2/3/2 (was a=1 2/2/1), delete a= 0/3/0 (was a=1 2/2/1)',
  ]);
});

test('model: txn: a comparison of a range holds if it holds for every key of it', () => {
  const model = new StoreModel();
  put(model, 'a1', 'x');
  put(model, 'a2', 'x');
  put(model, 'a2', 'x');
  const holds = (range: KeyRange, is: Compare['is'], target: Compare['target'], value: number | string): boolean => {
    const wanted = typeof value === 'string' ? bytes(value) : target === 'lease' ? BigInt(value) : value;
    const compare = { range, is, target, value: wanted } as Compare;
    return done(model.txn({ compare: [compare], success: [], failure: [] })).succeeded;
  };
  assert.equal(holds(prefix('a'), '=', 'value', 'x'), true);
  assert.equal(holds(prefix('a'), '>', 'version', 0), true);
  assert.equal(holds(prefix('a'), '=', 'version', 1), false);
  assert.equal(holds(prefix('a'), '<', 'modRevision', 4), false);
  assert.equal(holds(prefix('a'), '<', 'createRevision', 4), true);
  assert.equal(holds(prefix('a'), '=', 'lease', 0), true);

  // A key that is not there, and a range without keys, compare as zeros, and never by their value.
  for (const range of [keyRange(bytes('b')), prefix('b')]) {
    for (const target of ['version', 'createRevision', 'modRevision', 'lease'] as const) {
      assert.equal(holds(range, '=', target, 0), true);
      assert.equal(holds(range, '>', target, 0), false);
      assert.equal(holds(range, '<', target, 1), true);
    }
    assert.equal(holds(range, '=', 'value', ''), false);
    assert.equal(holds(range, '!=', 'value', 'x'), false);
  }
});

test('model: txn: lease ids are compared exactly', () => {
  const model = new StoreModel();
  const id = 2n ** 53n;
  done(model.leaseGrant(id, 5));
  done(put(model, 'a', '', { lease: id }));
  const isBoundTo = (value: bigint): boolean => {
    const compare: Compare = { range: keyRange(bytes('a')), is: '=', target: 'lease', value };
    return done(model.txn({ compare: [compare], success: [], failure: [] })).succeeded;
  };
  assert.deepEqual([id, id + 1n].map(isBoundTo), [true, false]);
});

test('model: leases: revoking deletes the keys in byte order in one revision', () => {
  const model = new StoreModel();
  done(model.leaseGrant(7n, 10));
  refused(model.leaseGrant(7n, 10), { kind: 'lease_exists' });
  refused(put(model, 'a', '', { lease: 8n }), { kind: 'lease_not_found' });
  for (const key of ['c', 'a', 'b', 'd']) done(put(model, key, '', { lease: 7n }));
  done(put(model, 'b', ''));
  done(remove(model, 'd'));
  done(put(model, 'd', ''));
  assert.deepEqual(model.leaseKeys(7n).map(text), ['a', 'c'], 'b and d are bound to none any more');

  const answer = done(model.leaseRevoke(7n));
  assert.deepEqual([answer.revision, answer.deleted], [9, 2]);
  assert.deepEqual(events(model, { revision: 9 }), ['9: delete a= 0/9/0, delete c= 0/9/0']);
  refused(model.leaseRevoke(7n), { kind: 'lease_not_found' });

  done(model.leaseGrant(7n, 10));
  assert.deepEqual([done(model.leaseRevoke(7n)).revision, model.revision], [9, 9], 'without keys it is no revision');
});

test('model: leases: a checkpoint remembers the time that is left, of a lease that is gone it is forgotten', () => {
  const model = new StoreModel();
  done(model.leaseGrant(7n, 10));
  done(model.leaseCheckpoint(7n, 4));
  done(model.leaseCheckpoint(8n, 4));
  assert.deepEqual(model.leases(), [{ id: 7n, ttl: 10, remaining: 4 }]);
  done(model.leaseCheckpoint(7n, undefined));
  assert.deepEqual(model.leases(), [{ id: 7n, ttl: 10, remaining: undefined }]);
  assert.equal(model.revision, 1);
});

test('model: events: what a watch from a revision has to deliver', () => {
  const model = new StoreModel();
  put(model, 'a', '1'); // 2
  put(model, 'b', '1'); // 3
  put(model, 'a', '2'); // 4
  remove(model, 'a'); // 5
  put(model, 'a', '3'); // 6
  assert.deepEqual(events(model, { range: prefix('a') }), [
    '2: put a=1 2/2/1',
    '4: put a=2 2/4/2',
    '5: delete a= 0/5/0',
    '6: put a=3 6/6/1',
  ]);
  assert.deepEqual(events(model, { range: prefix('a'), revision: 3, filter: 'put' }), ['5: delete a= 0/5/0']);
  assert.deepEqual(events(model, { revision: 4, filter: 'delete', previous: true }), [
    '4: put a=2 2/4/2 (was a=1 2/2/1)',
    '6: put a=3 6/6/1',
  ]);
  assert.deepEqual(events(model, { revision: 7 }), [], 'the future');
  assert.deepEqual(events(model, { revision: undefined }), [], 'after now');
});

test('model: events: what was compacted is not told, and neither is what was before at the compact revision', () => {
  const model = new StoreModel();
  put(model, 'a', '1');
  put(model, 'a', '2');
  remove(model, 'a');
  put(model, 'a', '3');
  put(model, 'a', '4');
  done(model.compact(4));
  refused(model.eventsSince({ ...watchRequest, revision: 3 }), { kind: 'compacted', compactRevision: 4 });
  assert.deepEqual(events(model, { revision: 4, previous: true }), [
    '4: delete a= 0/4/0',
    '5: put a=3 5/5/1',
    '6: put a=4 5/6/2 (was a=3 5/5/1)',
  ]);
});

test('model: tokens: a write is done once, and answered as the first time', () => {
  const model = new StoreModel();
  const write = {
    kind: 'put',
    key: bytes('a'),
    value: bytes('1'),
    condition: { kind: 'absent' },
    previous: false,
  } as const;
  const first = model.apply(write, 'token');
  put(model, 'a', '2');
  assert.deepEqual(model.apply(write, 'token'), first);
  assert.deepEqual(list(model), ['a=2 2/3/2']);
  refused(model.apply({ ...write, value: bytes('other') }, 'token'), { kind: 'bad_request' });

  // What broke a rule of form was never in the log, so its token names nothing yet.
  const keepsValue = { ...write, condition: undefined, keepsValue: true };
  refused(model.apply(keepsValue, 'free'), { kind: 'bad_request' });
  assert.equal(model.apply({ kind: 'leaseRevoke', id: 1n }, 'free').kind, 'lease_not_found');

  // A refusal is an outcome like any other: what was answered is what the client is told again.
  refused(model.apply(write, 'late'), { kind: 'precondition_failed', modRevision: 3 });
  remove(model, 'a');
  refused(model.apply(write, 'late'), { kind: 'precondition_failed', modRevision: 3 });
  assert.equal(model.revision, 4);
});

test('model: what it was given may be altered afterwards', () => {
  const model = new StoreModel();
  const key = bytes('a');
  done(model.put({ key, value: key, condition: undefined, previous: false }));
  key[0] = 0;
  assert.deepEqual(list(model), ['a=a 2/2/1']);
});

for (const seed of [1, 2, 3]) {
  test(`model: random histories: the state at every revision is what its events make of it: seed ${seed}`, () => {
    const model = new StoreModel();
    const history = new RandomHistory(seededRandom(seed));
    const states = new Map<Revision, string>([[1, '']]);
    for (let step = 0; step < 500; step++) {
      const next = history.next(model);
      const before = { revision: model.revision, state: list(model).join(', ') };
      const outcome = applyStep(model, next);
      const message = `seed ${seed}, step ${step}: ${describeStep(next)}`;
      if (outcome.kind !== 'done') {
        assert.deepEqual({ revision: model.revision, state: list(model).join(', ') }, before, message);
      }
      assert(model.revision === before.revision || model.revision === before.revision + 1, message);
      states.set(model.revision, list(model).join(', '));
    }
    for (const [revision, state] of replay(model)) assert.equal(state, states.get(revision), `revision ${revision}`);
    for (const { id } of model.leases()) {
      for (const key of model.leaseKeys(id)) assert.equal(done(model.get(key)).kv?.lease, id);
    }
    const { kvs } = done(model.range({ ...rangeRequest, sort: 'value', order: 'desc' }));
    for (const [i, kv] of kvs.entries()) assert(i === 0 || compareTarget('value', kvs[i - 1] ?? kv, kv) >= 0);
  });
}

/** The state after each revision, made from nothing but the log. */
function* replay({ log }: StoreModel): Generator<[Revision, string]> {
  const kvs = new Map<string, KeyValue>();
  for (const { revision, events } of log) {
    for (const { type, kv, previous } of events) {
      assert.equal(kv.modRevision, revision);
      const old = kvs.get(text(kv.key));
      const wasChangedBefore = old?.modRevision === revision;
      if (!wasChangedBefore) assert.deepEqual(previous, old);
      if (type === 'delete') kvs.delete(text(kv.key));
      else kvs.set(text(kv.key), kv);
      if (type === 'put') assert.equal(kv.version, (old?.version ?? 0) + 1);
    }
    const sorted = [...kvs].sort(([a], [b]) => (a < b ? -1 : 1));
    yield [revision, sorted.map(([, kv]) => describe(kv)).join(', ')];
  }
}

const everything: KeyRange = { start: new Uint8Array(), end: undefined };

const rangeRequest: RangeRequest = {
  range: everything,
  limit: 0,
  keysOnly: false,
  countOnly: false,
  sort: 'key',
  order: 'asc',
};

const watchRequest: WatchRequest = { range: everything, revision: 1, previous: false, filter: undefined };

function put(model: StoreModel, key: string, value: string, more: Partial<PutRequest> = {}) {
  return model.put({ key: bytes(key), value: bytes(value), condition: undefined, previous: false, ...more });
}

function remove(model: StoreModel, key: string) {
  return model.delete({ key: bytes(key), condition: undefined, previous: false });
}

function prefix(of: string): KeyRange {
  return prefixRange(bytes(of));
}

function compare(key: string, is: Compare['is'], target: 'version', value: number): Compare {
  return { range: keyRange(bytes(key)), is, target, value };
}

function done<O extends Outcome>(outcome: O): Extract<O, { kind: 'done' }> {
  assert.equal(outcome.kind, 'done', printable(outcome));
  return outcome as Extract<O, { kind: 'done' }>;
}

/** A refusal; reasons are for people and do not matter. */
type Expected = Exclude<Refusal, { kind: 'bad_request' }> | { readonly kind: 'bad_request' };

function refused(outcome: Outcome, expected: Expected): void {
  const { kind, modRevision, compactRevision } = { modRevision: undefined, compactRevision: undefined, ...outcome };
  const told = { modRevision: undefined, compactRevision: undefined, ...expected };
  assert.deepEqual({ kind, modRevision, compactRevision }, told);
}

function listed(model: StoreModel, range = everything): readonly KeyValue[] {
  return done(model.range({ ...rangeRequest, range })).kvs;
}

function list(model: StoreModel): readonly string[] {
  return listed(model).map(describe);
}

function events(model: StoreModel, request: Partial<WatchRequest>): readonly string[] {
  const { batches } = done(model.eventsSince({ ...watchRequest, ...request }));
  return batches.map(({ revision, events }) => `${revision}: ${events.map(describeEvent).join(', ')}`);
}

function describeEvent({ type, kv, previous }: WatchEvent): string {
  return `${type} ${describe(kv)}${previous === undefined ? '' : ` (was ${describe(previous)})`}`;
}

function describeResult(result: TxnResult): string {
  switch (result.kind) {
    case 'put':
      return `put ${result.createRevision}/${result.version}`;
    case 'range':
      return `range ${result.kvs.map(describe).join(', ')}`;
    case 'delete':
      return `delete ${result.deleted}: ${result.previous.map(describe).join(', ')}`;
    case 'txn':
      return `txn ${result.succeeded} [${result.results.map(describeResult).join('; ')}]`;
  }
}

/** `key=value create/mod/version` */
function describe({ key, value, createRevision, modRevision, version, lease }: KeyValue): string {
  const bound = lease === undefined ? '' : ` lease ${lease}`;
  return `${plain(key)}=${plain(value)} ${createRevision}/${modRevision}/${version}${bound}`;
}

function plain(part: Uint8Array): string {
  return printableBytes(part).slice(1, -1);
}

function bytes(latin1: string): Uint8Array {
  return Uint8Array.from(Buffer.from(latin1, 'latin1'));
}

function text(part: Uint8Array): string {
  return Buffer.from(part).toString('latin1');
}
