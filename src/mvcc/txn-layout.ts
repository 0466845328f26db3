import { unreachable } from '../base/assert.ts';
import type { KeyRange, RangeRequest, RangeSort, RevisionBounds } from '../contract/kv.ts';
import type { Compare, TxnOperation, TxnRequest } from '../contract/txn.ts';
import { txnLimits } from '../contract/txn.ts';
import type { ByteReader, ByteWriter } from './byte-layout.ts';

/** The lists of comparisons, of `success` and of `failure`; what is in them after a byte that says what it is. */
export function writeTxn(writer: ByteWriter, { compare, success, failure }: TxnRequest): void {
  writer.list(compare, (one) => writeCompare(writer, one));
  writer.list(success, (one) => writeOperation(writer, one));
  writer.list(failure, (one) => writeOperation(writer, one));
}

export function readTxn(reader: ByteReader, depth = 1): TxnRequest {
  // Checked before it is proposed; here it only keeps a hostile peer from filling the stack.
  if (depth > txnLimits.depthMax) throw reader.malformed(`transactions nested more than ${txnLimits.depthMax} deep`);
  return {
    compare: reader.list(compareBytesMin, () => readCompare(reader)),
    success: reader.list(1, () => readOperation(reader, depth)),
    failure: reader.list(1, () => readOperation(reader, depth)),
  };
}

export function writeRange(writer: ByteWriter, { start, end }: KeyRange): void {
  writer.bytes(start).optional(end, (bytes) => writer.bytes(bytes));
}

export function readRange(reader: ByteReader): KeyRange {
  return { start: reader.bytes(), end: reader.optional(() => reader.bytes()) };
}

function writeCompare(writer: ByteWriter, compare: Compare): void {
  writeRange(writer, compare.range);
  writer.u8(comparisons.indexOf(compare.is)).u8(targets.indexOf(compare.target));
  if (compare.target === 'value') writer.bytes(compare.value);
  else if (compare.target === 'lease') writer.bigU64(compare.value);
  else writer.u64(compare.value);
}

function readCompare(reader: ByteReader): Compare {
  const range = readRange(reader);
  const is = pick(reader, comparisons);
  const target = pick(reader, targets);
  if (target === 'value') return { range, is, target, value: reader.bytes() };
  if (target === 'lease') return { range, is, target, value: reader.bigU64() };
  return { range, is, target, value: reader.u64() };
}

function writeOperation(writer: ByteWriter, operation: TxnOperation): void {
  writer.u8(operations.indexOf(operation.kind));
  switch (operation.kind) {
    case 'put': {
      const { previous = false, keepsValue = false, keepsLease = false } = operation;
      writer.bytes(operation.key).bytes(operation.value).flag(previous).flag(keepsValue).flag(keepsLease);
      writer.bigU64(operation.lease ?? 0n);
      return;
    }
    case 'range':
      writeRangeRequest(writer, operation);
      return;
    case 'delete':
      writeRange(writer, operation.range);
      writer.flag(operation.previous ?? false);
      return;
    case 'txn':
      writeTxn(writer, operation.txn);
      return;
    default:
      unreachable(operation);
  }
}

function readOperation(reader: ByteReader, depth: number): TxnOperation {
  const kind = pick(reader, operations);
  switch (kind) {
    case 'put': {
      const key = reader.bytes();
      const value = reader.bytes();
      const [previous, keepsValue, keepsLease] = [reader.flag(), reader.flag(), reader.flag()];
      const lease = reader.bigU64();
      const put = { kind, key, value, previous, keepsValue, keepsLease } as const;
      return lease === 0n ? put : { ...put, lease };
    }
    case 'range':
      return { kind, ...readRangeRequest(reader) };
    case 'delete':
      return { kind, range: readRange(reader), previous: reader.flag() };
    case 'txn':
      return { kind, txn: readTxn(reader, depth + 1) };
  }
}

function writeRangeRequest(writer: ByteWriter, request: RangeRequest): void {
  writeRange(writer, request.range);
  writer.u64(request.limit).u64(request.revision ?? 0);
  writer
    .flag(request.keysOnly)
    .flag(request.countOnly)
    .u8(sorts.indexOf(request.sort))
    .flag(request.order === 'desc');
  const { bounds } = request;
  for (const name of boundNames) writer.u64(bounds?.[name] ?? 0);
}

function readRangeRequest(reader: ByteReader): RangeRequest {
  const range = readRange(reader);
  const limit = reader.u64();
  const revision = reader.u64();
  const [keysOnly, countOnly] = [reader.flag(), reader.flag()];
  const sort = pick(reader, sorts);
  const order = reader.flag() ? 'desc' : 'asc';
  const bounds: { -readonly [Name in keyof RevisionBounds]: number } = {};
  for (const name of boundNames) {
    const bound = reader.u64();
    if (bound > 0) bounds[name] = bound;
  }
  const request = { range, limit, keysOnly, countOnly, sort, order, bounds } as const;
  return revision === 0 ? request : { ...request, revision };
}

function pick<T>(reader: ByteReader, all: readonly T[]): T {
  const at = reader.u8();
  const one = all[at];
  if (one === undefined) throw reader.malformed(`choice ${at} of ${all.length}`);
  return one;
}

// Their places are part of the format.
const comparisons: readonly Compare['is'][] = ['=', '!=', '<', '>'];
const targets: readonly Compare['target'][] = ['value', 'version', 'createRevision', 'modRevision', 'lease'];
const operations: readonly TxnOperation['kind'][] = ['put', 'range', 'delete', 'txn'];
const sorts: readonly RangeSort[] = ['key', 'modRevision', 'createRevision', 'version', 'value'];
const boundNames = ['minModRevision', 'maxModRevision', 'minCreateRevision', 'maxCreateRevision'] as const;
const compareBytesMin = 4 + 1 + 2 + 4;
