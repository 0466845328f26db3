import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { type Action, type Fields, type Operation, type State, stateAfter } from './history.ts';
import { checkLinearizable, describeVerdict } from './linearizability.ts';

const unknown = Number.POSITIVE_INFINITY;

test('linearizability: histories that an honest store produces', () => {
  holds('one client after the other', [put('a', 0, 1), get('a', 2, 3), put('b', 4, 5), get('b', 6, 7)]);
  holds('a read beside a write sees either', [put('a', 0, 1), put('b', 2, 9), get('a', 3, 4), get('b', 5, 6)]);
  holds('two writes at once, in either order', [put('a', 0, 5), put('b', 0, 5), get('a', 6, 7), get('a', 8, 9)]);
  holds('an unknown write took effect much later', [
    put('a', 0, 1),
    put('b', 2, unknown),
    get('a', 3, 4),
    get('b', 50, 51),
  ]);
  holds('an unknown write never took effect', [put('a', 0, 1), put('b', 2, unknown), get('a', 50, 51)]);
  holds('there is nothing before the first write', [get(null, 0, 1), put('a', 2, 3), get('a', 4, 5)]);
  holds('of two creates one fails', [create('a', true, 0, 5), create('b', false, 1, 4), get('a', 6, 7)]);
  holds('a swap and a delete', [put('a', 0, 1), swap('a', 'b', true, 2, 3), remove(true, 4, 5), get(null, 6, 7)]);
  holds('operations of the same moment are concurrent', [put('a', 0, 5), get('a', 5, 6), get(null, 0, 0)]);
  holds('keys do not matter to each other', [put('a', 0, 1, 'x'), get(null, 2, 3, 'y'), get('a', 4, 5, 'x')]);
});

test('linearizability: lies', () => {
  breaks('a stale read', [put('a', 0, 1), put('b', 2, 3), get('a', 4, 5)]);
  breaks('a lost write', [put('a', 0, 1), get(null, 2, 3)]);
  breaks('a value that nobody wrote, as of a write that was refused', [put('a', 0, 1), get('z', 2, 3)]);
  breaks('new, and then old again', [put('a', 0, 1), put('b', 2, 20), get('b', 3, 4), get('a', 5, 6)]);
  breaks('a write seen before it began', [get('a', 0, 1), put('a', 2, 3)]);
  breaks('an unknown write that took effect and was undone', [
    put('a', 0, 1),
    put('b', 2, unknown),
    get('b', 3, 4),
    get('a', 5, 6),
  ]);
  breaks('two swaps of one value', [put('a', 0, 1), swap('a', 'b', true, 2, 9), swap('a', 'c', true, 2, 9)]);
  breaks('two creates of one key', [create('a', true, 0, 5), create('b', true, 0, 5)]);
  breaks('a swap that failed without a reason', [put('a', 0, 1), swap('a', 'b', false, 2, 3)]);
  breaks('a delete of nothing', [remove(true, 0, 1)]);
  breaks('one of several keys', [put('a', 0, 1, 'x'), put('b', 0, 1, 'y'), get('b', 2, 3, 'y'), get(null, 2, 3, 'x')]);
});

test('linearizability: transactions over several keys that are one state', () => {
  const both = { a: '5', b: '5' };
  const open = txn({ a: null, b: null }, both, true, 0, 1);
  const move = txn(both, { a: '4', b: '6' }, true, 2, 9);
  holds('one, and looks beside and after it', [open, move, look(both, 3, 4), look({ a: '4', b: '6' }, 5, 6)]);
  holds('two that touch different keys', [
    open,
    txn({ a: '5' }, { a: '4' }, true, 2, 9),
    txn({ b: '5' }, { b: '6' }, true, 2, 9),
    look({ a: '5', b: '6' }, 3, 4),
    look({ a: '4', b: '6' }, 10, 11),
  ]);
  holds('two that touch the same key, of which one fails', [open, move, txn(both, { a: '0', b: '9' }, false, 2, 9)]);
  holds('an unknown one took effect', [
    open,
    txn(both, { a: '1' }, true, 2, unknown),
    look({ a: '1', b: '5' }, 50, 51),
  ]);
  holds('an unknown one did not', [open, txn(both, { a: '1' }, true, 2, unknown), look(both, 50, 51)]);
  holds('a key that a transaction deletes', [open, txn({ a: '5' }, { a: null }, true, 2, 3), look({ b: '5' }, 4, 5)]);

  breaks('two on the same condition', [open, move, txn(both, { a: '0', b: '9' }, true, 2, 9)]);
  breaks('write skew', [
    open,
    txn(both, { a: '0' }, true, 2, 9),
    txn(both, { b: '0' }, true, 2, 9),
    look({ a: '0', b: '0' }, 10, 11),
  ]);
  breaks('half of it', [open, move, look({ a: '4', b: '5' }, 10, 11)]);
  breaks('a key left out', [open, look({ a: '5' }, 2, 3)]);
  breaks('a condition that failed without a reason', [open, txn({ a: '5' }, { a: '4' }, false, 2, 3)]);
  breaks('an old state', [open, move, look(both, 10, 11)]);
});

test('linearizability: a lie is told as a short story', () => {
  const story = describeVerdict(checkLinearizable([put('a', 0, 1), put('b', 2, 3.25), get('a', 4, 5)]));
  assert.equal(
    story,
    `The operations on k are in no order that explains their answers.
  2 can be put in order; the last of them:
    client 0: put k=a, 0.0 to 1.0 ms
    client 0: put k=b, 2.0 to 3.3 ms
  None of these can come next:
    client 0: get k, told a, 4.0 to 5.0 ms`,
  );
});

test('linearizability: small random histories, right and wrong ones, get the verdict that trying all orders gives', () => {
  const seed = 2024;
  const random = seededRandom(seed);
  const verdicts = { right: 0, wrong: 0 };
  for (let round = 0; round < 4000; round++) {
    const history = Array.from({ length: 2 + random.below(5) }, (_, i) => randomOperation(random, `${i}`));
    const expected = someOrderExplains(null, history);
    verdicts[expected ? 'right' : 'wrong']++;
    const { linearizable } = checkLinearizable(history);
    assert.equal(linearizable, expected, `seed ${seed}, round ${round}: ${JSON.stringify(history)}`);
  }
  assert(verdicts.right > 500 && verdicts.wrong > 500, JSON.stringify(verdicts));
});

test('linearizability: long histories of a real register with many clients are found right, and one old read in them is found wrong', () => {
  const random = seededRandom(5);
  const history = registerHistory(random, 3000, 12);
  assert.deepEqual(checkLinearizable(history), { linearizable: true });
  const reads = history.filter(({ action }) => action.kind === 'get' && action.value !== null);
  const early = reads[100];
  const late = reads.at(-100);
  assert(early !== undefined && late !== undefined);
  const broken = history.map((operation) => (operation === late ? { ...late, action: early.action } : operation));
  assert.equal(checkLinearizable(broken).linearizable, false);
});

function holds(what: string, history: readonly Operation[]): void {
  const verdict = checkLinearizable(history);
  assert(verdict.linearizable, `${what}: ${describeVerdict(verdict)}`);
}

function breaks(what: string, history: readonly Operation[]): void {
  assert.equal(checkLinearizable(history).linearizable, false, what);
}

/** By the definition: any operation that nobody else's end precedes may be the next one. */
function someOrderExplains(state: State, left: readonly Operation[]): boolean {
  if (left.every(({ endMs }) => endMs === unknown)) return true;
  const firstEndMs = Math.min(...left.map(({ endMs }) => endMs));
  return left.some((operation) => {
    if (operation.startMs > firstEndMs) return false;
    const after = stateAfter(state, operation);
    const others = left.filter((other) => other !== operation);
    return after !== undefined && someOrderExplains(after, others);
  });
}

function randomOperation(random: Random, value: string): Operation {
  const startMs = random.below(12);
  const isKnown = random.below(5) > 0;
  const done = random.below(2) === 0;
  const seen = random.below(3) === 0 ? null : `${random.below(4)}`;
  const actions: readonly Action[] = [
    { kind: 'put', value },
    { kind: 'put', value },
    { kind: 'create', value, done },
    { kind: 'swap', expected: seen ?? '0', value, done },
    { kind: 'delete', done },
    { kind: 'get', value: seen },
    { kind: 'get', value: seen },
  ];
  const action = actions[random.below(actions.length)] ?? actions[0];
  assert(action !== undefined);
  const isOpen = !isKnown && action.kind !== 'get';
  return { client: 0, key: 'k', action, startMs, endMs: isOpen ? unknown : startMs + random.below(8) };
}

/** Each operation takes effect at one moment between its start and its end. */
function registerHistory(random: Random, count: number, clients: number): Operation[] {
  const readyMs = Array.from({ length: clients }, () => random.below(10));
  const drafts = Array.from({ length: count }, (_, i) => {
    const client = i % clients;
    const startMs = (readyMs[client] ?? 0) + random.below(5);
    const atMs = startMs + random.below(10);
    const endMs = atMs + random.below(10);
    readyMs[client] = endMs + 1;
    return { client, startMs, atMs, endMs, isPut: random.below(2) === 0, value: `${i}` };
  });
  let state: State = null;
  return drafts
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ client, startMs, endMs, isPut, value }) => {
      if (isPut) state = value;
      const action: Action = isPut ? { kind: 'put', value } : { kind: 'get', value: state };
      return { client, key: 'k', action, startMs, endMs };
    });
}

function operation(action: Action, startMs: number, endMs: number, key = 'k'): Operation {
  return { client: 0, key, action, startMs, endMs };
}

function put(value: string, startMs: number, endMs: number, key = 'k'): Operation {
  return operation({ kind: 'put', value }, startMs, endMs, key);
}

function get(value: string | null, startMs: number, endMs: number, key = 'k'): Operation {
  return operation({ kind: 'get', value }, startMs, endMs, key);
}

function create(value: string, done: boolean, startMs: number, endMs: number): Operation {
  return operation({ kind: 'create', value, done }, startMs, endMs);
}

function swap(expected: string, value: string, done: boolean, startMs: number, endMs: number): Operation {
  return operation({ kind: 'swap', expected, value, done }, startMs, endMs);
}

function remove(done: boolean, startMs: number, endMs: number): Operation {
  return operation({ kind: 'delete', done }, startMs, endMs);
}

function txn(expected: Fields, written: Fields, done: boolean, startMs: number, endMs: number): Operation {
  return operation({ kind: 'txn', expected, written, done }, startMs, endMs);
}

function look(values: Fields, startMs: number, endMs: number): Operation {
  return operation({ kind: 'snapshot', values }, startMs, endMs);
}
