import { unreachable } from '../base/assert.ts';
import type { KeyValue, Revision } from '../contract/kv.ts';
import { ByteReader, ByteWriter, UnknownFormat } from './byte-layout.ts';

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
  /** The condition did not hold; `modRevision` is the key's present one, or undefined if it is absent. */
  | { readonly kind: 'conditionFailed'; readonly revision: Revision; readonly modRevision: Revision | undefined }
  /** The range holds more than one command may delete; nothing was deleted. The limits are those of the command. */
  | {
      readonly kind: 'rangeTooLarge';
      readonly revision: Revision;
      readonly keysMax: number;
      readonly keyBytesMax: number;
    }
  | { readonly kind: 'published'; readonly revision: Revision };

/** format u8, kind u8, revision u64, then the fields in the order of their type. */
export function encodeResult(result: CommandResult): Buffer {
  const writer = new ByteWriter(128).u8(format).u8(kinds[result.kind]).u64(result.revision);
  switch (result.kind) {
    case 'put':
      writer
        .u8(result.created ? 1 : 0)
        .u64(result.createRevision)
        .u64(result.version);
      writePrevious(writer, result.previous);
      return writer.finish();
    case 'delete':
      writer.u64(result.deleted);
      writePrevious(writer, result.previous);
      return writer.finish();
    case 'conditionFailed':
      // 0: absent; no key has that mod revision.
      return writer.u64(result.modRevision ?? 0).finish();
    case 'rangeTooLarge':
      return writer.u64(result.keysMax).u64(result.keyBytesMax).finish();
    case 'published':
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
      const created = readFlag(reader);
      const createRevision = reader.u64();
      const version = reader.u64();
      return { kind: 'put', revision, created, createRevision, version, previous: readPrevious(reader) };
    }
    case kinds.delete:
      return { kind: 'delete', revision, deleted: reader.u64(), previous: readPrevious(reader) };
    case kinds.conditionFailed: {
      const modRevision = reader.u64();
      return { kind: 'conditionFailed', revision, modRevision: modRevision === 0 ? undefined : modRevision };
    }
    case kinds.rangeTooLarge:
      return { kind: 'rangeTooLarge', revision, keysMax: reader.u64(), keyBytesMax: reader.u64() };
    case kinds.published:
      return { kind: 'published', revision };
    default:
      throw reader.malformed(`kind ${kind}`);
  }
}

function writePrevious(writer: ByteWriter, previous: KeyValue | undefined): void {
  writer.u8(previous === undefined ? 0 : 1);
  if (previous === undefined) return;
  writer.u64(previous.createRevision).u64(previous.modRevision).u64(previous.version);
  writer.bytes(previous.key).rest(previous.value);
}

function readPrevious(reader: ByteReader): KeyValue | undefined {
  if (!readFlag(reader)) return undefined;
  const createRevision = reader.u64();
  const modRevision = reader.u64();
  const version = reader.u64();
  return { createRevision, modRevision, version, key: reader.bytes(), value: reader.rest() };
}

function readFlag(reader: ByteReader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw reader.malformed(`flag ${flag}`);
  return flag === 1;
}

const format = 1;
const kinds = { put: 1, delete: 2, conditionFailed: 3, rangeTooLarge: 4, published: 5 } as const;
