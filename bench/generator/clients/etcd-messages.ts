import type { Pair, WatchedRange } from './client.ts';
import { readFields, varintBytes, writeVarint } from './protobuf.ts';

/** etcd's messages (`rpc.proto`, `kv.proto`) without gRPC's prefix. Texts are ASCII: a byte a letter. */

/** `TxnRequest` of `success` operations that are all puts, written into one buffer in one pass. */
export function txnOfPuts(pairs: readonly Pair[]): Buffer {
  let length = 0;
  for (const pair of pairs) length += fieldBytes(fieldBytes(putBytes(pair)));
  const message = Buffer.allocUnsafe(length);
  let at = 0;
  for (const pair of pairs) {
    at = writeHead(message, at, 2, fieldBytes(putBytes(pair)));
    at = writeHead(message, at, 2, putBytes(pair));
    at = writePut(message, at, pair);
  }
  return message;
}

/** `TxnRequest` that puts the pairs if all their keys exist: one comparison for each, create revision above 0. */
export function txnOfExisting(pairs: readonly Pair[]): Buffer {
  const compares = pairs.map(({ key }) => textField(1, existenceOf(key).toString('latin1')));
  return Buffer.concat([...compares, txnOfPuts(pairs)]);
}

/** `Compare`: result GREATER, target CREATE, the key, and 0, which is written though it is 0: it is one of several. */
function existenceOf(key: string): Buffer {
  return Buffer.concat([varintField(1, 1), varintField(2, 1), textField(3, key), Buffer.from([5 << 3, 0])]);
}

export function putMessage(pair: Pair): Buffer {
  const message = Buffer.allocUnsafe(putBytes(pair));
  writePut(message, 0, pair);
  return message;
}

export interface RangeQuestion extends WatchedRange {
  readonly limit?: number;
  readonly serializable?: boolean;
  readonly countOnly?: boolean;
}

export function rangeMessage({ limit = 0, serializable = false, countOnly = false, ...range }: RangeQuestion): Buffer {
  return Buffer.concat([
    rangeFields(range),
    varintField(3, limit),
    varintField(7, serializable ? 1 : 0),
    varintField(9, countOnly ? 1 : 0),
  ]);
}

/** `WatchRequest` with a `create_request` for what happens from now on. */
export function watchMessage(range: WatchedRange): Buffer {
  return textField(1, rangeFields(range).toString('latin1'));
}

/** What a `RangeResponse` says: the values of its keys, and how many keys the whole range has. */
export function readRangeResponse(message: Buffer): { readonly values: readonly Buffer[]; readonly count: number } {
  const values: Buffer[] = [];
  let count = 0;
  for (const field of readFields(message)) {
    if (field.number === 2 && 'bytes' in field) values.push(readKeyValue(field.bytes).value);
    if (field.number === 4 && 'varint' in field) count = field.varint;
  }
  return { values, count };
}

export interface WatchResponse {
  readonly isCreated: boolean;
  readonly isCanceled: boolean;
  readonly events: readonly Pair[];
}

export function readWatchResponse(message: Buffer): WatchResponse {
  let isCreated = false;
  let isCanceled = false;
  const events: Pair[] = [];
  for (const field of readFields(message)) {
    if (field.number === 3 && 'varint' in field) isCreated = field.varint !== 0;
    if (field.number === 4 && 'varint' in field) isCanceled = field.varint !== 0;
    if (field.number === 11 && 'bytes' in field) events.push(readEvent(field.bytes));
  }
  return { isCreated, isCanceled, events };
}

function readEvent(message: Buffer): Pair {
  for (const field of readFields(message)) {
    if (field.number !== 2 || !('bytes' in field)) continue;
    const { key, value } = readKeyValue(field.bytes);
    return { key: key.toString('latin1'), value: value.toString('latin1') };
  }
  throw new Error('an event of a watch has no key');
}

function readKeyValue(message: Buffer): { readonly key: Buffer; readonly value: Buffer } {
  let key: Buffer = Buffer.alloc(0);
  let value: Buffer = Buffer.alloc(0);
  for (const field of readFields(message)) {
    if (field.number === 1 && 'bytes' in field) key = field.bytes;
    if (field.number === 5 && 'bytes' in field) value = field.bytes;
  }
  return { key, value };
}

function rangeFields({ text, isPrefix }: WatchedRange): Buffer {
  return Buffer.concat([textField(1, text), ...(isPrefix ? [textField(2, endOfPrefix(text))] : [])]);
}

/** The key before which the keys with a prefix end. All prefixes here end in a letter that has a successor. */
export function endOfPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function putBytes({ key, value }: Pair): number {
  return fieldBytes(key.length) + fieldBytes(value.length);
}

function writePut(target: Buffer, offset: number, { key, value }: Pair): number {
  const at = writeText(target, offset, 1, key);
  return writeText(target, at, 2, value);
}

/** Of a length-delimited field with a number below 16. */
function fieldBytes(length: number): number {
  return 1 + varintBytes(length) + length;
}

function writeHead(target: Buffer, offset: number, number: number, length: number): number {
  target[offset] = (number << 3) | 2;
  return writeVarint(target, offset + 1, length);
}

function writeText(target: Buffer, offset: number, number: number, text: string): number {
  const at = writeHead(target, offset, number, text.length);
  return at + target.write(text, at, 'latin1');
}

function textField(number: number, text: string): Buffer {
  const field = Buffer.allocUnsafe(fieldBytes(text.length));
  writeText(field, 0, number, text);
  return field;
}

/** A zero is what an absent field means. */
function varintField(number: number, value: number): Buffer {
  if (value === 0) return Buffer.alloc(0);
  const field = Buffer.allocUnsafe(1 + varintBytes(value));
  field[0] = number << 3;
  writeVarint(field, 1, value);
  return field;
}
