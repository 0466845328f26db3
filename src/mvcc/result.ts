import { unreachable } from '../base/assert.ts';
import type { KeyValue, Revision } from '../contract/kv.ts';
import type { LeaseId } from '../contract/lease.ts';
import type { TxnResult } from '../contract/txn.ts';
import { ByteReader, ByteWriter, UnknownFormat } from './byte-layout.ts';

/** Why a command changed nothing, and the figures that belong to it. */
export type Refusal =
  /** Figures: keys and bytes that one deletion may take. */
  | 'range_too_large'
  /** Figure: bytes that a transaction may read. */
  | 'answer_too_large'
  | 'key_not_found'
  | 'lease_not_found'
  | 'lease_exists'
  /** Figures: bytes in use, bytes that may be. */
  | 'no_space'
  /** Figure: the compact revision. */
  | 'compacted'
  | 'future_revision'
  /** The token belongs to another write. */
  | 'token_reused'
  | 'member_exists'
  | 'member_not_found'
  /** There was a member with that id once. */
  | 'member_removed'
  /** Another member has one of these peer URLs. */
  | 'peer_url_taken';

/** What applying a command says to its proposer; the same on every member. */
export type CommandResult =
  | {
      readonly kind: 'put';
      readonly revision: Revision;
      readonly created: boolean;
      readonly createRevision: Revision;
      readonly version: number;
      readonly previous: KeyValue | undefined;
    }
  | {
      readonly kind: 'delete';
      readonly revision: Revision;
      readonly deleted: number;
      readonly previous: KeyValue | undefined;
    }
  | {
      readonly kind: 'txn';
      readonly revision: Revision;
      readonly succeeded: boolean;
      readonly results: readonly TxnResult[];
    }
  /** The condition did not hold; `modRevision` is the key's present one, or undefined if it is absent. */
  | { readonly kind: 'conditionFailed'; readonly revision: Revision; readonly modRevision: Revision | undefined }
  | { readonly kind: 'leaseGranted'; readonly revision: Revision; readonly id: LeaseId; readonly ttl: number }
  | {
      readonly kind: 'refused';
      readonly revision: Revision;
      readonly refusal: Refusal;
      readonly figures: readonly number[];
    }
  /** There is nothing more to tell. */
  | { readonly kind: 'done'; readonly revision: Revision };

/** format u8, kind u8, revision u64, then the fields in the order of their type. */
export function encodeResult(result: CommandResult): Buffer {
  const writer = new ByteWriter(128).u8(format).u8(kinds[result.kind]).u64(result.revision);
  switch (result.kind) {
    case 'put':
      writer.flag(result.created).u64(result.createRevision).u64(result.version);
      writePrevious(writer, result.previous);
      return writer.finish();
    case 'delete':
      writer.u64(result.deleted);
      writePrevious(writer, result.previous);
      return writer.finish();
    case 'txn':
      writer.flag(result.succeeded).list(result.results, (one) => writeTxnResult(writer, one));
      return writer.finish();
    case 'conditionFailed':
      // 0: absent; no key has that mod revision.
      return writer.u64(result.modRevision ?? 0).finish();
    case 'leaseGranted':
      return writer.bigU64(result.id).u64(result.ttl).finish();
    case 'refused':
      return writer
        .u8(refusals.indexOf(result.refusal))
        .list(result.figures, (figure) => writer.u64(figure))
        .finish();
    case 'done':
      return writer.finish();
    default:
      return unreachable(result);
  }
}

/** Keys and values are views on `bytes`. Throws `MalformedBytes` or `UnknownFormat`. */
export function decodeResult(bytes: Uint8Array): CommandResult {
  const reader = new ByteReader(bytes, 'result');
  const found = reader.u8();
  if (found > format) throw new UnknownFormat('result', found, format, 'sender');
  if (found !== format) throw reader.malformed(`format ${found}`);
  const kind = reader.u8();
  const result = readFields(reader, kind, reader.u64());
  reader.end();
  return result;
}

function readFields(reader: ByteReader, kind: number, revision: Revision): CommandResult {
  switch (kind) {
    case kinds.put: {
      const created = reader.flag();
      const createRevision = reader.u64();
      const version = reader.u64();
      return { kind: 'put', revision, created, createRevision, version, previous: readPrevious(reader) };
    }
    case kinds.delete:
      return { kind: 'delete', revision, deleted: reader.u64(), previous: readPrevious(reader) };
    case kinds.txn: {
      const succeeded = reader.flag();
      return { kind: 'txn', revision, succeeded, results: readTxnResults(reader, 0) };
    }
    case kinds.conditionFailed: {
      const modRevision = reader.u64();
      return { kind: 'conditionFailed', revision, modRevision: modRevision === 0 ? undefined : modRevision };
    }
    case kinds.leaseGranted:
      return { kind: 'leaseGranted', revision, id: reader.bigU64(), ttl: reader.u64() };
    case kinds.refused: {
      const refusal = refusals[reader.u8()];
      if (refusal === undefined) throw reader.malformed('a refusal that is not known');
      return { kind: 'refused', revision, refusal, figures: reader.list(8, () => reader.u64()) };
    }
    case kinds.done:
      return { kind: 'done', revision };
    default:
      throw reader.malformed(`kind ${kind}`);
  }
}

function writeTxnResult(writer: ByteWriter, result: TxnResult): void {
  writer.u8(txnKinds[result.kind]);
  switch (result.kind) {
    case 'put':
      writer.flag(result.created).u64(result.createRevision).u64(result.version);
      writePrevious(writer, result.previous);
      return;
    case 'range':
      writer.u64(result.count).flag(result.more);
      writer.list(result.kvs, (kv) => writeKeyValue(writer, kv));
      return;
    case 'delete':
      writer.u64(result.deleted).list(result.previous, (kv) => writeKeyValue(writer, kv));
      return;
    case 'txn':
      writer.flag(result.succeeded).list(result.results, (one) => writeTxnResult(writer, one));
      return;
    default:
      unreachable(result);
  }
}

function readTxnResults(reader: ByteReader, depth: number): readonly TxnResult[] {
  if (depth > depthMax) throw reader.malformed('results nested too deep');
  return reader.list(2, () => readTxnResult(reader, depth));
}

function readTxnResult(reader: ByteReader, depth: number): TxnResult {
  const kind = reader.u8();
  switch (kind) {
    case txnKinds.put: {
      const created = reader.flag();
      const createRevision = reader.u64();
      const version = reader.u64();
      return { kind: 'put', created, createRevision, version, previous: readPrevious(reader) };
    }
    case txnKinds.range: {
      const count = reader.u64();
      const more = reader.flag();
      return { kind: 'range', count, more, kvs: reader.list(keyValueBytesMin, () => readKeyValue(reader)) };
    }
    case txnKinds.delete: {
      const deleted = reader.u64();
      return { kind: 'delete', deleted, previous: reader.list(keyValueBytesMin, () => readKeyValue(reader)) };
    }
    case txnKinds.txn: {
      const succeeded = reader.flag();
      return { kind: 'txn', succeeded, results: readTxnResults(reader, depth + 1) };
    }
    default:
      throw reader.malformed(`result ${kind}`);
  }
}

function writePrevious(writer: ByteWriter, previous: KeyValue | undefined): void {
  writer.optional(previous, (kv) => writeKeyValue(writer, kv));
}

function readPrevious(reader: ByteReader): KeyValue | undefined {
  return reader.optional(() => readKeyValue(reader));
}

function writeKeyValue(writer: ByteWriter, kv: KeyValue): void {
  writer
    .u64(kv.createRevision)
    .u64(kv.modRevision)
    .u64(kv.version)
    .bigU64(kv.lease ?? 0n);
  writer.bytes(kv.key).bytes(kv.value);
}

function readKeyValue(reader: ByteReader): KeyValue {
  const createRevision = reader.u64();
  const modRevision = reader.u64();
  const version = reader.u64();
  const lease = reader.bigU64();
  const kv = { createRevision, modRevision, version, key: reader.bytes(), value: reader.bytes() };
  return lease === 0n ? kv : { ...kv, lease };
}

const format = 1;
const kinds = { put: 1, delete: 2, conditionFailed: 3, refused: 4, done: 5, txn: 6, leaseGranted: 7 } as const;
const txnKinds = { put: 1, range: 2, delete: 3, txn: 4 } as const;
// Their places are part of the format.
const refusals: readonly Refusal[] = [
  'range_too_large',
  'answer_too_large',
  'key_not_found',
  'lease_not_found',
  'lease_exists',
  'no_space',
  'compacted',
  'future_revision',
  'token_reused',
  'member_exists',
  'member_not_found',
  'member_removed',
  'peer_url_taken',
];
const keyValueBytesMin = 4 * 8 + 2 * 4;
/** Deeper than a transaction may be. */
const depthMax = 8;
