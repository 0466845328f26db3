import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { EncodedLists } from '../../../base/encoded-lists.ts';
import type { Field, Init, MessageType } from './message-type.ts';

/** Bytes that are no message of that type. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

/** Deeper than any message that means something; a transaction may nest others. */
const depthMax = 32;

/** The message in bytes, with `prefixBytes` left free before it. */
export function encode<T extends object>(type: MessageType<T>, message: Init<T>, prefixBytes = 0): Uint8Array {
  const writer = new BinaryWriter();
  if (prefixBytes > 0) writer.raw(new Uint8Array(prefixBytes));
  writeFields(writer, type, message as Readonly<Record<string, unknown>>);
  return writer.finish();
}

/** Fields that are bytes are views on `bytes`. What is not known is skipped. */
export function decode<T extends object>(type: MessageType<T>, bytes: Uint8Array): T {
  try {
    return readFields(new BinaryReader(bytes), bytes.length, type, 1);
  } catch (cause) {
    if (cause instanceof MalformedMessage) throw cause;
    throw new MalformedMessage(cause instanceof Error ? cause.message : 'it cannot be read', { cause });
  }
}

function writeFields(
  writer: BinaryWriter,
  type: MessageType<object>,
  message: Readonly<Record<string, unknown>>,
): void {
  for (const field of type.fields) {
    const value = message[field.name];
    if (value === undefined) continue;
    if (field.isRepeated) writeList(writer, field, value as readonly unknown[]);
    else if (field.kind === 'message' || !isInitial(value)) writeField(writer, field, value);
  }
}

function writeList(writer: BinaryWriter, field: Field, items: readonly unknown[]): void {
  if (!field.mayComeAgain || items.length < EncodedLists.lengthMin) {
    writeItems(writer, field, items);
    return;
  }
  const encodeItems = (): Uint8Array => {
    const own = new BinaryWriter();
    writeItems(own, field, items);
    return own.finish();
  };
  writer.raw(encodedLists.bytes(items, `${field.number}`, encodeItems));
}

const encodedLists = new EncodedLists();

function writeItems(writer: BinaryWriter, field: Field, items: readonly unknown[]): void {
  if (items.length === 0) return;
  if (!isPackable(field)) {
    for (const item of items) writeField(writer, field, item);
    return;
  }
  writer.uint32((field.number << 3) | WireType.LengthDelimited).fork();
  for (const item of items) writeValue(writer, field, item);
  writer.join();
}

function writeField(writer: BinaryWriter, field: Field, value: unknown): void {
  const isDelimited = field.kind === 'bytes' || field.kind === 'string' || field.kind === 'message';
  writer.uint32((field.number << 3) | (isDelimited ? WireType.LengthDelimited : WireType.Varint));
  writeValue(writer, field, value);
}

function writeValue(writer: BinaryWriter, { kind, type }: Field, value: unknown): void {
  switch (kind) {
    case 'bytes':
      writer.bytes(value as Uint8Array);
      return;
    case 'string':
      writer.string(value as string);
      return;
    case 'bool':
      writer.bool(value as boolean);
      return;
    case 'int32':
    case 'enum':
      writer.int32(value as number);
      return;
    case 'uint32':
      writer.uint32(value as number);
      return;
    case 'int64':
    case 'uint64':
      writeBig(writer, kind, value as bigint | number);
      return;
    case 'message':
      if (type === undefined) throw new Error('a field of no type');
      writer.fork();
      writeFields(writer, type(), value as Readonly<Record<string, unknown>>);
      writer.join();
  }
}

/** Most are small: these are the same bytes as those of 32 bits, in a third of the time. */
function writeBig(writer: BinaryWriter, kind: 'int64' | 'uint64', value: bigint | number): void {
  if (typeof value === 'number') {
    if (value >= 0 && value <= 0xffffffff) writer.uint32(value);
    else writer[kind](BigInt(value));
  } else if (value >= 0n && value <= 0xffffffffn) writer.uint32(Number(value));
  else writer[kind](value);
}

function readFields<T extends object>(reader: BinaryReader, end: number, type: MessageType<T>, depth: number): T {
  if (depth > depthMax) throw new MalformedMessage('messages are nested too deep');
  if (end > reader.len) throw new MalformedMessage('unexpected EOF');
  const message = type.create();
  const values = message as Record<string, unknown>;
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const field = type.byNumber.get(number);
    if (field === undefined || !fits(field, wireType)) skip(reader, number, wireType);
    else {
      readField(reader, field, wireType, values, depth);
      if (field.oneof !== undefined) clearOthers(type, field, values);
    }
  }
  if (reader.pos !== end) throw new MalformedMessage('a field goes on beyond its message');
  return message;
}

function readField(
  reader: BinaryReader,
  field: Field,
  wireType: WireType,
  values: Record<string, unknown>,
  depth: number,
): void {
  if (!field.isRepeated) {
    values[field.name] = readValue(reader, field, depth);
    return;
  }
  let items = values[field.name] as unknown[];
  if (items === field.initial) {
    items = [];
    values[field.name] = items;
  }
  if (wireType !== WireType.LengthDelimited || !isPackable(field)) {
    items.push(readValue(reader, field, depth));
    return;
  }
  const end = reader.uint32() + reader.pos;
  while (reader.pos < end) items.push(readValue(reader, field, depth));
}

function readValue(reader: BinaryReader, { kind, type }: Field, depth: number): unknown {
  switch (kind) {
    case 'bytes':
      return reader.bytes();
    case 'string':
      return reader.string();
    case 'bool':
      return reader.bool();
    case 'int32':
    case 'enum':
      return reader.int32();
    case 'uint32':
      return reader.uint32();
    case 'int64':
      return reader.int64();
    case 'uint64':
      return reader.uint64();
    case 'message': {
      if (type === undefined) throw new Error('a field of no type');
      const length = reader.uint32();
      return readFields(reader, reader.pos + length, type(), depth + 1);
    }
  }
}

function skip(reader: BinaryReader, number: number, wireType: WireType): void {
  // No message of etcd's has them, and reading them means following their nesting.
  if (wireType === WireType.StartGroup || wireType === WireType.EndGroup) {
    throw new MalformedMessage(`field ${number} is a group`);
  }
  reader.skip(wireType, number);
}

function clearOthers(type: MessageType<object>, { name, oneof }: Field, values: Record<string, unknown>): void {
  for (const other of type.fields) if (other.oneof === oneof && other.name !== name) values[other.name] = other.initial;
}

function fits(field: Field, wireType: WireType): boolean {
  const isVarint = wireType === WireType.Varint;
  const isDelimited = wireType === WireType.LengthDelimited;
  if (field.kind === 'bytes' || field.kind === 'string' || field.kind === 'message') return isDelimited;
  return isVarint || (isDelimited && field.isRepeated);
}

function isPackable({ kind }: Field): boolean {
  return kind !== 'bytes' && kind !== 'string' && kind !== 'message';
}

/** What is not written: it means the same as nothing. */
function isInitial(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  return value === 0 || value === 0n || value === false || value === '';
}
