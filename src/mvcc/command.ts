import { unreachable } from '../base/assert.ts';
import type { Condition, KeyRange } from '../contract/kv.ts';
import { ByteReader, ByteWriter, UnknownFormat } from './byte-layout.ts';

/**
 * What a client asks of the state machine. Everything that could differ between members (time, chance, limits) was
 * decided before and stands in it. A log entry holds one command or several: their encodings one after another.
 */
export type Command =
  | {
      readonly kind: 'put';
      readonly key: Uint8Array;
      readonly value: Uint8Array;
      readonly condition: Condition | undefined;
      readonly previous: boolean;
    }
  | {
      readonly kind: 'delete';
      readonly key: Uint8Array;
      readonly condition: Condition | undefined;
      readonly previous: boolean;
    }
  | {
      readonly kind: 'deleteRange';
      readonly range: KeyRange;
      /** The most keys one command deletes; beyond it the result is `rangeTooLarge`. Default: `deleteRangeLimits`. */
      readonly keysMax?: number;
      /** …and the most bytes these keys have together. */
      readonly keyBytesMax?: number;
    }
  /** A member tells how clients reach it (as etcd's "publish"); changes no revision. */
  | {
      readonly kind: 'publish';
      readonly memberId: string;
      readonly name: string;
      readonly clientUrls: readonly string[];
      readonly version: string;
    };

/**
 * One revision deletes all keys of a range at once, so their names (never their values) have to fit into memory, and
 * later into one watch event. The limits travel in the command: a member with other software must decide alike.
 */
export const deleteRangeLimits = { keysMax: 1_000_000, keyBytesMax: 64 * 1024 * 1024 } as const;

/**
 * format u8, kind u8, then the fields in the order of their type. A kind or field that is added gets a format number of
 * its own, and commands without it keep theirs: a member with older software then says that it is too old.
 */
export function encodeCommand(command: Command): Buffer {
  switch (command.kind) {
    case 'put': {
      const writer = new ByteWriter(16 + conditionBytes(command.condition) + command.key.length + command.value.length);
      writer
        .u8(format)
        .u8(kinds.put)
        .u8(command.previous ? 1 : 0);
      writeCondition(writer, command.condition);
      return writer.bytes(command.key).bytes(command.value).finish();
    }
    case 'delete': {
      const writer = new ByteWriter(16 + conditionBytes(command.condition) + command.key.length);
      writer
        .u8(format)
        .u8(kinds.delete)
        .u8(command.previous ? 1 : 0);
      writeCondition(writer, command.condition);
      return writer.bytes(command.key).finish();
    }
    case 'deleteRange': {
      const { start, end } = command.range;
      const writer = new ByteWriter().u8(format).u8(kinds.deleteRange);
      writer.u64(command.keysMax ?? deleteRangeLimits.keysMax);
      writer.u64(command.keyBytesMax ?? deleteRangeLimits.keyBytesMax);
      writer.bytes(start).u8(end === undefined ? 0 : 1);
      return (end === undefined ? writer : writer.bytes(end)).finish();
    }
    case 'publish': {
      const writer = new ByteWriter().u8(format).u8(kinds.publish);
      writer
        .text(command.memberId)
        .text(command.name)
        .list(command.clientUrls, (url) => writer.text(url));
      return writer.text(command.version).finish();
    }
    default:
      return unreachable(command);
  }
}

/**
 * Keys and values are views on `bytes`. Throws `MalformedBytes`, or `UnknownFormat` if the log was written by newer
 * software.
 */
export function decodeCommand(bytes: Uint8Array): Command {
  const reader = new ByteReader(bytes, 'command');
  const command = readCommand(reader);
  reader.end();
  return command;
}

/** The commands of a log entry, in order; at least one. Otherwise as `decodeCommand`. */
export function decodeCommands(bytes: Uint8Array): readonly [Command, ...Command[]] {
  const reader = new ByteReader(bytes, 'command');
  const commands: [Command, ...Command[]] = [readCommand(reader)];
  while (!reader.isAtEnd) commands.push(readCommand(reader));
  if (commands.length === 1 || !commands.some(({ kind }) => kind === 'deleteRange')) return commands;
  throw reader.malformed('the deletion of a range shares an entry with other commands');
}

/**
 * True for an encoded command that may not share a log entry: applying it takes more than one turn of the event loop,
 * and an entry that is applied in part must never be seen.
 */
export function needsOwnEntry(command: Uint8Array): boolean {
  return command[1] === kinds.deleteRange;
}

function readCommand(reader: ByteReader): Command {
  const found = reader.u8();
  if (found > format) throw new UnknownFormat('command', found, format, 'log');
  if (found !== format) throw reader.malformed(`format ${found}`);
  return readFields(reader, reader.u8());
}

function readFields(reader: ByteReader, kind: number): Command {
  switch (kind) {
    case kinds.put: {
      const previous = readFlag(reader);
      const condition = readCondition(reader);
      return { kind: 'put', key: reader.bytes(), value: reader.bytes(), condition, previous };
    }
    case kinds.delete: {
      const previous = readFlag(reader);
      const condition = readCondition(reader);
      return { kind: 'delete', key: reader.bytes(), condition, previous };
    }
    case kinds.deleteRange: {
      const keysMax = reader.u64();
      const keyBytesMax = reader.u64();
      const start = reader.bytes();
      const end = readFlag(reader) ? reader.bytes() : undefined;
      return { kind: 'deleteRange', range: { start, end }, keysMax, keyBytesMax };
    }
    case kinds.publish: {
      const memberId = reader.text();
      const name = reader.text();
      const clientUrls = reader.list(4, () => reader.text());
      return { kind: 'publish', memberId, name, clientUrls, version: reader.text() };
    }
    default:
      throw reader.malformed(`kind ${kind}`);
  }
}

function readFlag(reader: ByteReader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw reader.malformed(`flag ${flag}`);
  return flag === 1;
}

function writeCondition(writer: ByteWriter, condition: Condition | undefined): void {
  if (condition === undefined) {
    writer.u8(conditions.none);
    return;
  }
  writer.u8(conditions[condition.kind]);
  if (condition.kind === 'modRevisionIn') writer.list(condition.revisions, (revision) => writer.u64(revision));
}

function readCondition(reader: ByteReader): Condition | undefined {
  const kind = reader.u8();
  switch (kind) {
    case conditions.none:
      return undefined;
    case conditions.exists:
      return { kind: 'exists' };
    case conditions.absent:
      return { kind: 'absent' };
    case conditions.modRevisionIn:
      return { kind: 'modRevisionIn', revisions: reader.list(8, () => reader.u64()) };
    default:
      throw reader.malformed(`condition ${kind}`);
  }
}

function conditionBytes(condition: Condition | undefined): number {
  return condition?.kind === 'modRevisionIn' ? 4 + 8 * condition.revisions.length : 0;
}

const format = 1;
const kinds = { put: 1, delete: 2, deleteRange: 3, publish: 4 } as const;
const conditions = { none: 0, exists: 1, absent: 2, modRevisionIn: 3 } as const;
