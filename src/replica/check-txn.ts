import { BalsaError } from '../contract/errors.ts';
import { isSingleKey } from '../contract/key-range.ts';
import { type KeyRange, limits } from '../contract/kv.ts';
import { type TxnOperation, type TxnRequest, txnLimits } from '../contract/txn.ts';

/** What a transaction may be. Rejects with `bad_request` or `too_large`, before anything is proposed (as etcd). */
export function checkTxn(txn: TxnRequest, valueBytesMax: number): void {
  checkLevel(txn, { valueBytesMax, operationsMax: txnLimits.operationsMax, depth: 1 });
  checkKeysOnce(txn);
}

interface Level {
  readonly valueBytesMax: number;
  readonly operationsMax: number;
  readonly depth: number;
}

function checkLevel({ compare, success, failure }: TxnRequest, level: Level): void {
  const longest = Math.max(compare.length, success.length, failure.length);
  if (longest > level.operationsMax) {
    throw badTxn(
      `The transaction has ${longest} operations or comparisons in one list, nested ones counted; the most is ` +
        `${txnLimits.operationsMax}. Send it in parts.`,
      { rule: 'too_many_operations' },
    );
  }
  for (const { range, target, value } of compare) {
    checkRange(range);
    if (target === 'value') checkValue(value as Uint8Array, level.valueBytesMax);
  }
  const operationsMax = level.operationsMax - longest;
  for (const operation of [...success, ...failure]) {
    checkOperation(operation, { ...level, operationsMax, depth: level.depth + 1 });
  }
}

function checkOperation(operation: TxnOperation, nested: Level): void {
  switch (operation.kind) {
    case 'put':
      checkKey(operation.key);
      checkValue(operation.value, nested.valueBytesMax);
      checkKept(operation);
      return;
    case 'range':
    case 'delete':
      checkRange(operation.range);
      return;
    case 'txn':
      if (nested.depth > txnLimits.depthMax) {
        throw badTxn(
          `Transactions are nested more than ${txnLimits.depthMax} deep; the most is ${txnLimits.depthMax}.`,
        );
      }
      checkLevel(operation.txn, nested);
      return;
  }
}

/** `value` and `lease` have no meaning where the present ones are kept. */
export function checkKept(put: {
  readonly value: Uint8Array;
  readonly lease?: bigint | undefined;
  readonly keepsValue?: boolean | undefined;
  readonly keepsLease?: boolean | undefined;
}): void {
  if (put.keepsValue && put.value.length > 0) throw badTxn('A put that keeps the value cannot have one; leave it out.');
  if (put.keepsLease && put.lease !== undefined)
    throw badTxn('A put that keeps the lease cannot name one; leave it out.');
}

interface Written {
  readonly puts: ReadonlySet<string>;
  readonly deletes: Spans;
}

/**
 * No key may be put twice, or deleted and put, by operations that can happen together. `then` and `else` of one
 * transaction never happen together. As etcd's `checkIntervals`: what nested transactions do counts in their order.
 */
function checkKeysOnce(txn: TxnRequest): Written {
  const success = written(txn.success);
  const failure = written(txn.failure);
  success.deletes.addAll(failure.deletes);
  return { puts: new Set([...success.puts, ...failure.puts]), deletes: success.deletes };
}

function written(operations: readonly TxnOperation[]): Written {
  const puts = new Set<string>();
  const deletes = new Spans();
  const addPut = (name: string): void => {
    if (puts.has(name) || deletes.has(name)) throw duplicate(name);
    puts.add(name);
  };
  for (const operation of operations) if (operation.kind === 'delete') deletes.add(spanOf(operation.range));
  for (const operation of operations) {
    if (operation.kind !== 'txn') continue;
    const nested = checkKeysOnce(operation.txn);
    for (const name of nested.puts) addPut(name);
    deletes.addAll(nested.deletes);
  }
  for (const operation of operations) if (operation.kind === 'put') addPut(nameOf(operation.key));
  return { puts, deletes };
}

/** A range by the names of its keys. */
interface Span {
  readonly start: string;
  readonly end: string | undefined;
}

/**
 * What is deleted: in order, no two of them touching, so that one look tells of a key. Nested transactions hold tens of
 * thousands of operations; comparing each put with each deletion would keep everybody else waiting for minutes.
 */
class Spans {
  readonly #spans: Span[] = [];

  has(name: string): boolean {
    const span = this.#spans[this.#startingUpTo(name) - 1];
    return span !== undefined && (span.end === undefined || name < span.end);
  }

  addAll(other: Spans): void {
    for (const span of other.#spans) this.add(span);
  }

  /** Those that it touches become one with it. */
  add({ start, end }: Span): void {
    if (end !== undefined && end <= start) return;
    let from = this.#startingUpTo(start);
    const before = this.#spans[from - 1];
    if (before !== undefined && (before.end === undefined || before.end >= start)) from--;
    const to = end === undefined ? this.#spans.length : this.#startingUpTo(end);
    const first = from < to ? this.#spans[from] : undefined;
    const last = from < to ? this.#spans[to - 1] : undefined;
    const merged: Span = {
      start: first !== undefined && first.start < start ? first.start : start,
      end: last === undefined ? end : laterEnd(last.end, end),
    };
    this.#spans.splice(from, to - from, merged);
  }

  /** How many begin there or before. */
  #startingUpTo(name: string): number {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#spans[middle] as Span).start <= name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function laterEnd(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return undefined;
  return a > b ? a : b;
}

function spanOf({ start, end }: KeyRange): Span {
  return { start: nameOf(start), end: end === undefined ? undefined : nameOf(end) };
}

/** Latin1, in which the order of strings is that of the bytes. */
function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function checkKey(key: Uint8Array): void {
  if (key.length === 0)
    throw new BalsaError('bad_request', 'The key is empty; give at least one byte.', { extras: { parameter: 'key' } });
  if (key.length <= limits.keyBytesMax) return;
  throw new BalsaError('too_large', `The key has ${key.length} bytes; the most is ${limits.keyBytesMax}.`, {
    extras: { parameter: 'key' },
  });
}

export function checkRange(range: KeyRange): void {
  if (isSingleKey(range)) {
    checkKey(range.start);
    return;
  }
  const longest = Math.max(range.start.length, range.end?.length ?? 0);
  // A prefix may be as long as a key, and its end longer by nothing.
  if (longest <= limits.keyBytesMax) return;
  throw new BalsaError('too_large', `A bound of the range has ${longest} bytes; the most is ${limits.keyBytesMax}.`);
}

export function checkValue(value: Uint8Array, valueBytesMax: number): void {
  if (value.length <= valueBytesMax) return;
  throw new BalsaError(
    'too_large',
    `The value has ${value.length} bytes; this cluster takes ${valueBytesMax} (--max-request-bytes).`,
  );
}

function duplicate(name: string): BalsaError {
  const key = Buffer.from(name, 'latin1').toString('utf8');
  return badTxn(`The key "${key}" is written twice in one transaction; each key may be put or deleted once.`, {
    rule: 'duplicate_key',
  });
}

/** `rule`: which one was broken, for clients that tell them apart. */
function badTxn(detail: string, extras: { readonly rule?: 'duplicate_key' | 'too_many_operations' } = {}): BalsaError {
  return new BalsaError('bad_request', detail, { extras });
}
