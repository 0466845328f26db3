import type { KeyRange } from '../../src/contract/kv.ts';
import { type TxnOperation, type TxnRequest, txnLimits } from '../../src/contract/txn.ts';
import { isInRange } from './key-order.ts';
import { printableBytes } from './printable.ts';

/**
 * The rule that a transaction breaks, whatever is in the store; undefined if it breaks none. As etcd's
 * `checkTxnRequest` and `checkIntervals` (`server/etcdserver/api/v3rpc/key.go`), and in addition a limit of depth.
 *
 * Different from etcd, on purpose: etcd reads the deletion of all keys from `a` on as an empty interval, and so lets a
 * put of `b` stand beside it; here that is an overlap like any other. The same holds for a deletion from the first key
 * on, which etcd cannot express.
 */
export function checkTxn(txn: TxnRequest): string | undefined {
  return checkOperations(txn, txnLimits.operationsMax, 1) ?? firstOverlap(txn);
}

function checkOperations(txn: TxnRequest, operationsMax: number, depth: number): string | undefined {
  if (depth > txnLimits.depthMax) return `too deep: more than ${txnLimits.depthMax} transactions within each other`;
  const longest = Math.max(txn.compare.length, txn.success.length, txn.failure.length);
  if (longest > operationsMax) return `too many operations: ${longest} where ${operationsMax} are left`;
  for (const { range } of txn.compare) if (isOfEmptyKey(range)) return 'empty key in a comparison';
  for (const operation of [...txn.success, ...txn.failure]) {
    const reason = checkOperation(operation, operationsMax - longest, depth);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function checkOperation(operation: TxnOperation, operationsLeft: number, depth: number): string | undefined {
  switch (operation.kind) {
    case 'put':
      return checkPut(operation);
    case 'range':
    case 'delete':
      return isOfEmptyKey(operation.range) ? `empty key in a ${operation.kind}` : undefined;
    case 'txn':
      return checkOperations(operation.txn, operationsLeft, depth + 1);
  }
}

/** The rules of every put, in a transaction or not. */
export function checkPut(put: {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly lease?: unknown;
  readonly keepsValue?: boolean;
  readonly keepsLease?: boolean;
}): string | undefined {
  if (put.key.length === 0) return 'empty key in a put';
  if (put.keepsValue === true && put.value.length > 0) return 'value is provided to a put that keeps the value';
  if (put.keepsLease === true && put.lease !== undefined) return 'lease is provided to a put that keeps the lease';
  return undefined;
}

/** No key is empty: only the successor of the empty key, a zero byte, makes a range that means it and nothing else. */
function isOfEmptyKey({ start, end }: KeyRange): boolean {
  return start.length === 0 && end?.length === 1 && end[0] === 0;
}

/** What a list of operations, and all that is nested in it, may put and delete. */
interface Footprint {
  /** As latin1 text. */
  readonly puts: ReadonlySet<string>;
  readonly deletes: readonly KeyRange[];
}

function firstOverlap(txn: TxnRequest): string | undefined {
  for (const branch of [txn.success, txn.failure]) {
    const footprint = footprintOf(branch);
    if (typeof footprint === 'string') return footprint;
  }
  return undefined;
}

/**
 * The footprint, or the first overlap. A put meets the puts before it and the deletes that are known when its turn
 * comes, which is: this list's own from the start, then what is nested in its order, then this list's own puts. So
 * `[txn(delete a), txn(put a)]` is refused and `[txn(put a), txn(delete a)]` is not; that is how etcd does it.
 */
function footprintOf(operations: readonly TxnOperation[]): Footprint | string {
  const puts = new Set<string>();
  const deletes = operations.filter((operation) => operation.kind === 'delete').map(({ range }) => range);
  for (const operation of operations) {
    if (operation.kind !== 'txn') continue;
    const success = footprintOf(operation.txn.success);
    if (typeof success === 'string') return success;
    const failure = footprintOf(operation.txn.failure);
    if (typeof failure === 'string') return failure;
    // Only one of the two will be done, so they may put the same key; what either puts counts for all others.
    const both = new Set([...success.puts, ...failure.puts]);
    for (const key of both) if (meets(key, puts, deletes)) return duplicate(key);
    for (const key of both) puts.add(key);
    deletes.push(...success.deletes, ...failure.deletes);
  }
  for (const operation of operations) {
    if (operation.kind !== 'put') continue;
    const key = Buffer.from(operation.key).toString('latin1');
    if (meets(key, puts, deletes)) return duplicate(key);
    puts.add(key);
  }
  return { puts, deletes };
}

function meets(key: string, puts: ReadonlySet<string>, deletes: readonly KeyRange[]): boolean {
  return puts.has(key) || deletes.some((range) => isInRange(Buffer.from(key, 'latin1'), range));
}

function duplicate(key: string): string {
  return `duplicate key: ${printableBytes(Buffer.from(key, 'latin1'))} is put twice, or put and deleted`;
}
