import { bytes, ties } from './kv-steps.ts';
import { put, range, txn } from './methods.ts';
import type { Step } from './step.ts';

const a = bytes('t/a');
const b = bytes('t/b');
const absent = bytes('t/absent');
const prefix = { key: bytes('t/'), rangeEnd: bytes('t0') };

const ofPut = (key: Buffer, value: string, more: object = {}) => ({
  requestPut: { key, value: bytes(value), ...more },
});
const ofRange = (key: Buffer, more: object = {}) => ({ requestRange: { key, ...more } });
const ofDelete = (key: Buffer, more: object = {}) => ({ requestDeleteRange: { key, ...more } });
const readA = [ofRange(a)];
const said = (text: string) => [ofPut(bytes('t/said'), text)];

/** Comparisons of every kind, every operation, nesting, and what is refused. */
export function txnSteps(): readonly Step[] {
  return [...prepared(), ...comparisons(), ...operations(), ...nested(), ...refused()];
}

function prepared(): Step[] {
  return [
    put('for transactions', { key: a, value: bytes('5') }),
    put('for transactions, again', { key: a, value: bytes('5') }),
    put('for transactions, another', { key: b, value: bytes('7') }),
  ];
}

function comparisons(): Step[] {
  const steps: Step[] = [];
  const targets = [
    { target: 0, field: 'version', values: [0, 2, 3, -1] },
    { target: 1, field: 'createRevision', values: [0, 1, 10_000] },
    { target: 2, field: 'modRevision', values: [0, 1, 10_000] },
    { target: 4, field: 'lease', values: [0, 1] },
  ] as const;
  for (const { target, field, values } of targets) {
    for (const value of values) {
      for (const result of [0, 1, 2, 3]) {
        const compare = [{ key: a, target, result, [field]: value }];
        steps.push(txn(`${field} ${value}, comparison ${result}`, { compare, success: readA, failure: [] }));
      }
    }
  }
  for (const value of ['', '4', '5', '6', '55']) {
    for (const result of [0, 1, 2, 3]) {
      const compare = [{ key: a, target: 3, result, value: bytes(value) }];
      steps.push(
        txn(`value "${value}", comparison ${result}`, { compare, success: readA, failure: [ofRange(absent)] }),
      );
    }
  }
  for (const result of [0, 1, 2, 3]) {
    steps.push(
      txn(`the value of an absent key, comparison ${result}`, { compare: [{ key: absent, target: 3, result }] }),
      txn(`the version of an absent key, comparison ${result}`, { compare: [{ key: absent, target: 0, result }] }),
      txn(`a range, comparison ${result}`, { compare: [{ ...prefix, target: 3, result, value: bytes('6') }] }),
      txn(`a range without keys, comparison ${result}`, {
        compare: [{ key: bytes('u'), rangeEnd: bytes('v'), target: 1, result }],
      }),
      txn(`everything from a key on, comparison ${result}`, {
        compare: [{ key: a, rangeEnd: bytes('\0'), target: 0, result, version: 1 }],
      }),
    );
  }
  steps.push(
    txn('two comparisons, of which one does not hold', {
      compare: [
        { key: a, target: 0, result: 1 },
        { key: b, target: 3, result: 0, value: bytes('no') },
      ],
      success: said('yes'),
      failure: [ofRange(absent), ofRange(a)],
    }),
    txn('the field of another target', { compare: [{ key: a, target: 0, result: 0, modRevision: 2 }] }),
  );
  return steps;
}

function operations(): Step[] {
  return [
    txn('nothing', {}),
    txn('only reads', { success: [ofRange(a), ofRange(b, { keysOnly: true }), ofRange(bytes('t/'), prefix)] }),
    txn('a put', { success: [ofPut(a, '6')] }),
    txn('a put, with what was there', { success: [ofPut(a, '7', { prevKv: true })] }),
    txn('reads between writes', {
      success: [
        ofRange(a),
        ofPut(a, '8'),
        ofRange(a),
        ofDelete(b, { prevKv: true }),
        ofRange(b),
        ofPut(bytes('t/c'), '1'),
      ],
    }),
    txn('a deletion of nothing', { success: [ofDelete(absent)] }),
    txn('a deletion of nothing before a put', {
      success: [ofDelete(absent), ofRange(a), ofPut(a, '9'), ofDelete(absent)],
    }),
    txn('a deletion of a range', { success: [ofDelete(bytes('t/c'), { rangeEnd: bytes('t/d'), prevKv: true })] }),
    txn('puts of several keys', { success: [ofPut(b, '1'), ofPut(bytes('t/c'), '2'), ofPut(bytes('t/d'), '3')] }),
    txn(
      'a read with every option',
      { success: [ofRange(bytes('t/'), { ...prefix, sortOrder: 2, sortTarget: 3, limit: 2, minModRevision: 3 })] },
      { differs: ties },
    ),
    txn('a count', { success: [ofRange(bytes('t/'), { ...prefix, countOnly: true })] }),
    txn('the value stays', { success: [ofPut(a, '', { ignoreValue: true, prevKv: true })] }),
    txn('a read of the past', { success: [ofRange(a, { revision: 21 }), ofPut(a, '10')] }),
    txn('a read of what is compacted', { success: [ofRange(a, { revision: 2 }), ofPut(a, 'no')] }),
    txn('a read of what is to come', { success: [ofRange(a, { revision: 100_000 }), ofPut(a, 'no')] }),
    txn('the value of an absent key stays', { success: [ofPut(a, 'no'), ofPut(absent, '', { ignoreValue: true })] }),
    txn('a lease that is not there', { success: [ofPut(a, 'no', { lease: 4711 })] }),
    range('what was refused has changed nothing', prefix),
  ];
}

function nested(): Step[] {
  const isThere = [{ key: a, target: 0, result: 1 }];
  return [
    txn('nested, both branches', {
      compare: isThere,
      success: [
        { requestTxn: { compare: isThere, success: [ofPut(a, 'n1'), ofRange(a)], failure: [ofPut(b, 'no')] } },
        ofRange(bytes('t/'), { ...prefix, keysOnly: true, limit: 1 }),
      ],
    }),
    txn('nested three deep', {
      success: [{ requestTxn: { success: [{ requestTxn: { success: [ofPut(b, 'n2', { prevKv: true })] } }] } }],
    }),
    txn('the same key in both branches of a nested one', {
      success: [{ requestTxn: { compare: isThere, success: [ofPut(a, 'x')], failure: [ofPut(a, 'y')] } }],
    }),
    txn('nested, nothing', { success: [{ requestTxn: {} }] }),
    range('after the nested ones', prefix),
  ];
}

function refused(): Step[] {
  const many = (count: number) => Array.from({ length: count }, (_, i) => ofPut(bytes(`t/m/${i}`), 'v'));
  return [
    txn('128 operations', { success: many(128) }),
    txn('129 operations', { success: many(129) }),
    txn('129 comparisons', { compare: Array.from({ length: 129 }, () => ({ key: a, result: 0, target: 0 })) }),
    txn('129 operations of the other branch', { failure: many(129) }),
    txn('127 beside one nested', { success: [{ requestTxn: { success: many(1) } }, ...many(127)] }),
    txn('a nested one for which nothing is left', {
      success: [{ requestTxn: { success: many(1) } }, ...many(128).slice(1)],
    }),
    txn('a key twice', { success: [ofPut(a, '1'), ofPut(a, '2')] }),
    txn('a key twice, in the other branch', { failure: [ofPut(a, '1'), ofPut(a, '2')] }),
    txn('a key once in each branch', { success: [ofPut(a, '1')], failure: [ofPut(a, '2')] }),
    txn('a put of what is deleted', { success: [ofDelete(a), ofPut(a, '2')] }),
    txn('a put within a deleted range', { success: [ofPut(a, '2'), ofDelete(bytes('t/'), prefix)] }),
    txn('a key deleted twice', { success: [ofDelete(a), ofDelete(a)] }),
    txn('a key twice, once nested', { success: [ofPut(a, '1'), { requestTxn: { success: [ofPut(a, '2')] } }] }),
    txn('a comparison without a key', { compare: [{ target: 0, result: 0 }] }),
    txn('a put without a key', { success: [ofPut(bytes(''), 'v')] }),
    txn('a read without a key', { success: [ofRange(bytes(''))] }),
    txn('a deletion without a key', { failure: [ofDelete(bytes(''))] }),
    txn('an operation that is none', { success: [{}] }),
    txn('a value, and the value stays', { success: [ofPut(a, 'v', { ignoreValue: true })] }),
    txn('a lease, and the lease stays', { success: [ofPut(a, 'v', { ignoreLease: true, lease: 1 })] }),
    txn('two mistakes: the number comes first', { compare: [{}], success: many(129) }),
    txn('two mistakes: the comparison comes first', { compare: [{}], success: [{}] }),
    range('nothing of it was done', prefix),
  ];
}
