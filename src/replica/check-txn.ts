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
  readonly deletes: readonly KeyRange[];
}

/**
 * No key may be put twice, or deleted and put, by operations that can happen together. `then` and `else` of one
 * transaction never happen together. As etcd's `checkIntervals`: what nested transactions do counts in their order.
 */
function checkKeysOnce(txn: TxnRequest): Written {
  const success = written(txn.success);
  const failure = written(txn.failure);
  return { puts: new Set([...success.puts, ...failure.puts]), deletes: [...success.deletes, ...failure.deletes] };
}

function written(operations: readonly TxnOperation[]): Written {
  const puts = new Set<string>();
  const deletes = operations.flatMap((operation) => (operation.kind === 'delete' ? [operation.range] : []));
  const addPut = (name: string): void => {
    if (puts.has(name) || deletes.some((range) => has(range, name))) throw duplicate(name);
    puts.add(name);
  };
  for (const operation of operations) {
    if (operation.kind !== 'txn') continue;
    const nested = checkKeysOnce(operation.txn);
    for (const name of nested.puts) addPut(name);
    deletes.push(...nested.deletes);
  }
  for (const operation of operations) if (operation.kind === 'put') addPut(nameOf(operation.key));
  return { puts, deletes };
}

function has({ start, end }: KeyRange, name: string): boolean {
  return name >= nameOf(start) && (end === undefined || name < nameOf(end));
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
  return badTxn(`The key "${key}" is written twice in one transaction; each key may be put or deleted once.`);
}

function badTxn(detail: string): BalsaError {
  return new BalsaError('bad_request', detail);
}
