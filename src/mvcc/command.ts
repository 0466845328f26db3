import { unreachable } from '../base/assert.ts';
import { minorOf } from '../base/software-version.ts';
import { isSingleKey } from '../contract/key-range.ts';
import type { Condition, KeyRange, PutRequest, Revision } from '../contract/kv.ts';
import type { LeaseId } from '../contract/lease.ts';
import { type TxnOperation, type TxnRequest, txnLimits } from '../contract/txn.ts';
import { asBuffer, ByteReader, ByteWriter, UnknownFormat } from './byte-layout.ts';
import { readMemberFields, writeMemberFields } from './member-layout.ts';
import type { MemberRecord } from './member-record.ts';
import { readRange, readTxn, writeRange, writeTxn } from './txn-layout.ts';

/**
 * What a client asks of the state machine. Everything that could differ between members (time, chance, limits) was
 * decided before and stands in it. A log entry holds one command or several: their encodings one after another.
 */
export type Command =
  | ({ readonly kind: 'put' } & PutRequest)
  | {
      readonly kind: 'delete';
      readonly key: Uint8Array;
      readonly condition: Condition | undefined;
      readonly previous: boolean;
    }
  | {
      readonly kind: 'deleteRange';
      readonly range: KeyRange;
      /** The most keys one command deletes; beyond it the result is `too_large`. Default: `deleteRangeLimits`. */
      readonly keysMax?: number;
      /** …and the most bytes these keys and their values have together. */
      readonly bytesMax?: number;
    }
  | {
      readonly kind: 'txn';
      readonly txn: TxnRequest;
      /** Bytes of keys and values that it may read or return. Default: `txnLimits.answerBytesMax`. */
      readonly answerBytesMax?: number;
    }
  /** What was before `revision` is forgotten. */
  | { readonly kind: 'compact'; readonly revision: Revision }
  | { readonly kind: 'leaseGrant'; readonly id: LeaseId; readonly ttl: number }
  | { readonly kind: 'leaseRevoke'; readonly id: LeaseId }
  /** These have run out, by the clock of the leader of `term`; without effect in an entry of another term. */
  | { readonly kind: 'leaseExpire'; readonly term: number; readonly ids: readonly LeaseId[] }
  /** What is left of these leases, by the clock of the leader of `term`; `undefined`: all of it. As `leaseExpire`. */
  | {
      readonly kind: 'leaseCheckpoint';
      readonly term: number;
      readonly leases: readonly { readonly id: LeaseId; readonly remaining: number | undefined }[];
    }
  /** The space that data may take, in bytes; 0: as much as there is. */
  | { readonly kind: 'quota'; readonly bytes: number }
  /** Every member notes the hash of its state at this entry, to be compared. */
  | { readonly kind: 'checkState' }
  /** That member's hash of its state at `index` was not `hash`, as most others' was; or it has been put right. */
  | {
      readonly kind: 'alarm';
      readonly action: 'raise' | 'clear';
      readonly memberId: string;
      readonly index: number;
      readonly hash: number;
    }
  /** A member tells how clients reach it (as etcd's "publish"); changes no revision. */
  | {
      readonly kind: 'publish';
      readonly memberId: string;
      readonly name: string;
      readonly clientUrls: readonly string[];
      readonly version: string;
    }
  /**
   * A member takes part from now on; as a learner first if it says `promote`. Comes with the configuration of the log that
   * says the same, as the other three do if they change who votes.
   */
  | { readonly kind: 'memberAdd'; readonly member: MemberRecord }
  /** Its id is never taken again. */
  | { readonly kind: 'memberRemove'; readonly memberId: string }
  | { readonly kind: 'memberUpdate'; readonly memberId: string; readonly peerUrls: readonly string[] }
  /** The learner has caught up and votes. */
  | { readonly kind: 'memberPromoted'; readonly memberId: string }
  /** All members understand what that version, such as `0.2`, puts into the log; without effect if it is not newer. */
  | { readonly kind: 'clusterVersion'; readonly version: string }
  /** Done once for a token, however often it comes; see `TokensTable`. */
  | { readonly kind: 'once'; readonly token: string; readonly command: Exclude<Command, { kind: 'once' }> };

/**
 * One revision deletes all keys of a range at once, and their last values go to the history, so that they have to fit
 * into memory. The limits travel in the command: a member with other software must decide alike.
 */
export const deleteRangeLimits = { keysMax: 250_000, bytesMax: 256 * 1024 * 1024 } as const;

/**
 * format u8, kind u8, then the fields in the order of their type. A kind or field that is added gets a format number of
 * its own, and commands without it keep theirs: a member with older software then says that it is too old.
 */
export function encodeCommand(command: Command): Buffer {
  const writer = new ByteWriter(sizeOf(command));
  writeCommand(writer, command);
  return writer.finish();
}

function writeCommand(writer: ByteWriter, command: Command): void {
  const kind = kinds[command.kind];
  writer.u8(formatOf(kind)).u8(kind);
  switch (command.kind) {
    case 'put':
      writePut(writer, command);
      return;
    case 'delete':
      writer.flag(command.previous);
      writeCondition(writer, command.condition);
      writer.bytes(command.key);
      return;
    case 'deleteRange': {
      const { keysMax, bytesMax } = deleteRangeLimits;
      writer.u64(command.keysMax ?? keysMax).u64(command.bytesMax ?? bytesMax);
      writeRange(writer, command.range);
      return;
    }
    case 'txn':
      writer.flag(scans(command.txn)).u64(command.answerBytesMax ?? txnLimits.answerBytesMax);
      writeTxn(writer, command.txn);
      return;
    case 'compact':
      writer.u64(command.revision);
      return;
    case 'leaseGrant':
      writer.bigU64(command.id).u64(command.ttl);
      return;
    case 'leaseRevoke':
      writer.bigU64(command.id);
      return;
    case 'leaseExpire':
      writer.u64(command.term).list(command.ids, (id) => writer.bigU64(id));
      return;
    case 'leaseCheckpoint':
      writer.u64(command.term).list(command.leases, ({ id, remaining }) => {
        writer.bigU64(id).optional(remaining, (seconds) => writer.u64(seconds));
      });
      return;
    case 'quota':
      writer.u64(command.bytes);
      return;
    case 'checkState':
      return;
    case 'alarm':
      writer
        .flag(command.action === 'raise')
        .text(command.memberId)
        .u64(command.index)
        .u32(command.hash);
      return;
    case 'publish':
      writer
        .text(command.memberId)
        .text(command.name)
        .list(command.clientUrls, (url) => writer.text(url))
        .text(command.version);
      return;
    case 'memberAdd':
      writer.text(command.member.id);
      writeMemberFields(writer, command.member);
      return;
    case 'memberUpdate':
      writer.text(command.memberId).list(command.peerUrls, (url) => writer.text(url));
      return;
    case 'memberRemove':
    case 'memberPromoted':
      writer.text(command.memberId);
      return;
    case 'clusterVersion':
      writer.text(command.version);
      return;
    case 'once':
      writer.text(command.token);
      writeCommand(writer, command.command);
      return;
    default:
      unreachable(command);
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
  if (commands.length === 1 || !commands.some(isAlone)) return commands;
  throw reader.malformed('a command that needs an entry of its own shares one with others');
}

/**
 * True for an encoded command that may not share a log entry: applying it takes more than one turn of the event loop,
 * and an entry that is applied in part must never be seen.
 */
export function needsOwnEntry(command: Uint8Array): boolean {
  const kind = command[1];
  if (kind === kinds.txn) return command[2] === 1;
  if (kind !== kinds.once) return slowKinds.has(kind);
  const tokenBytes = asBuffer(command).readUInt32BE(2);
  return needsOwnEntry(command.subarray(6 + tokenBytes));
}

function isAlone(command: Command): boolean {
  if (command.kind === 'once') return isAlone(command.command);
  return command.kind === 'txn' ? scans(command.txn) : slowKinds.has(kinds[command.kind]);
}

/** It reads ranges, or the past, which LevelDB does only asynchronously. */
export function scans({ compare, success, failure }: TxnRequest): boolean {
  return compare.some(({ range }) => !isSingleKey(range)) || success.some(isScan) || failure.some(isScan);
}

function isScan(operation: TxnOperation): boolean {
  switch (operation.kind) {
    case 'put':
      return false;
    case 'range':
      return operation.revision !== undefined || !isSingleKey(operation.range);
    case 'delete':
      return !isSingleKey(operation.range);
    case 'txn':
      return scans(operation.txn);
  }
}

function readCommand(reader: ByteReader): Command {
  const found = reader.u8();
  if (found > newestFormat) throw new UnknownFormat('command', found, newestFormat, 'log');
  if (found === 0) throw reader.malformed('format 0');
  const kind = reader.u8();
  if (found !== formatOf(kind)) throw reader.malformed(`format ${found} of kind ${kind}`);
  return readFields(reader, kind);
}

function readFields(reader: ByteReader, kind: number): Command {
  switch (kind) {
    case kinds.put:
      return readPut(reader);
    case kinds.delete: {
      const previous = reader.flag();
      const condition = readCondition(reader);
      return { kind: 'delete', key: reader.bytes(), condition, previous };
    }
    case kinds.deleteRange: {
      const keysMax = reader.u64();
      const bytesMax = reader.u64();
      return { kind: 'deleteRange', range: readRange(reader), keysMax, bytesMax };
    }
    case kinds.txn: {
      const isSlow = reader.flag();
      const answerBytesMax = reader.u64();
      const txn = readTxn(reader);
      if (isSlow !== scans(txn)) throw reader.malformed('a transaction that says wrongly whether it scans');
      return { kind: 'txn', txn, answerBytesMax };
    }
    case kinds.compact:
      return { kind: 'compact', revision: reader.u64() };
    case kinds.leaseGrant:
      return { kind: 'leaseGrant', id: reader.bigU64(), ttl: reader.u64() };
    case kinds.leaseRevoke:
      return { kind: 'leaseRevoke', id: reader.bigU64() };
    case kinds.leaseExpire:
      return { kind: 'leaseExpire', term: reader.u64(), ids: reader.list(8, () => reader.bigU64()) };
    case kinds.leaseCheckpoint: {
      const term = reader.u64();
      const leases = reader.list(9, () => ({ id: reader.bigU64(), remaining: reader.optional(() => reader.u64()) }));
      return { kind: 'leaseCheckpoint', term, leases };
    }
    case kinds.quota:
      return { kind: 'quota', bytes: reader.u64() };
    case kinds.checkState:
      return { kind: 'checkState' };
    case kinds.alarm: {
      const action = reader.flag() ? 'raise' : 'clear';
      return { kind: 'alarm', action, memberId: reader.text(), index: reader.u64(), hash: reader.u32() };
    }
    case kinds.publish: {
      const memberId = reader.text();
      const name = reader.text();
      const clientUrls = reader.list(4, () => reader.text());
      return { kind: 'publish', memberId, name, clientUrls, version: reader.text() };
    }
    case kinds.memberAdd: {
      const id = reader.text();
      return { kind: 'memberAdd', member: { id, ...readMemberFields(reader) } };
    }
    case kinds.memberRemove:
      return { kind: 'memberRemove', memberId: reader.text() };
    case kinds.memberUpdate:
      return { kind: 'memberUpdate', memberId: reader.text(), peerUrls: reader.list(4, () => reader.text()) };
    case kinds.memberPromoted:
      return { kind: 'memberPromoted', memberId: reader.text() };
    case kinds.clusterVersion: {
      const version = reader.text();
      if (minorOf(version) !== version) throw reader.malformed(`cluster version ${JSON.stringify(version)}`);
      return { kind: 'clusterVersion', version };
    }
    case kinds.once: {
      const token = reader.text();
      const command = readCommand(reader);
      if (command.kind === 'once') throw reader.malformed('a token within a token');
      return { kind: 'once', token, command };
    }
    default:
      throw reader.malformed(`kind ${kind}`);
  }
}

function writePut(writer: ByteWriter, command: Extract<Command, { kind: 'put' }>): void {
  const { previous, keepsValue, keepsLease, lease } = command;
  writer.u8(
    (previous ? putFlags.previous : 0) |
      (keepsValue ? putFlags.keepsValue : 0) |
      (keepsLease ? putFlags.keepsLease : 0) |
      (lease === undefined ? 0 : putFlags.lease),
  );
  writeCondition(writer, command.condition);
  if (lease !== undefined) writer.bigU64(lease);
  writer.bytes(command.key).bytes(command.value);
}

function readPut(reader: ByteReader): Command {
  const flags = reader.u8();
  if (flags > allPutFlags) throw reader.malformed(`flags ${flags}`);
  const condition = readCondition(reader);
  const lease = flags & putFlags.lease ? reader.bigU64() : undefined;
  const key = reader.bytes();
  const value = reader.bytes();
  const previous = (flags & putFlags.previous) !== 0;
  if ((flags & ~putFlags.previous) === 0) return { kind: 'put', key, value, condition, previous };
  return {
    kind: 'put',
    key,
    value,
    condition,
    previous,
    keepsValue: (flags & putFlags.keepsValue) !== 0,
    keepsLease: (flags & putFlags.keepsLease) !== 0,
    ...(lease === undefined ? {} : { lease }),
  };
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

/** About; a writer grows. */
function sizeOf(command: Command): number {
  switch (command.kind) {
    case 'put':
      return 32 + conditionBytes(command.condition) + command.key.length + command.value.length;
    case 'delete':
      return 16 + conditionBytes(command.condition) + command.key.length;
    case 'txn': {
      let bytes = 64;
      for (const one of command.txn.success) bytes += one.kind === 'put' ? 24 + one.key.length + one.value.length : 128;
      return bytes;
    }
    case 'once':
      return 16 + command.token.length + sizeOf(command.command);
    default:
      return 256;
  }
}

function conditionBytes(condition: Condition | undefined): number {
  return condition?.kind === 'modRevisionIn' ? 4 + 8 * condition.revisions.length : 0;
}

const kinds = {
  put: 1,
  delete: 2,
  deleteRange: 3,
  publish: 4,
  txn: 5,
  compact: 6,
  leaseGrant: 7,
  leaseRevoke: 8,
  leaseExpire: 9,
  leaseCheckpoint: 10,
  quota: 11,
  checkState: 12,
  alarm: 13,
  once: 14,
  memberAdd: 15,
  memberRemove: 16,
  memberUpdate: 17,
  memberPromoted: 18,
  clusterVersion: 19,
} as const;

const newestFormat = 2;

/** The kinds up to `once` came with format 1. */
function formatOf(kind: number): number {
  return kind <= kinds.once ? 1 : 2;
}

const slowKinds: ReadonlySet<number | undefined> = new Set([
  kinds.deleteRange,
  kinds.compact,
  kinds.leaseRevoke,
  kinds.leaseExpire,
]);
const conditions = { none: 0, exists: 1, absent: 2, modRevisionIn: 3 } as const;
const putFlags = { previous: 1, keepsValue: 2, keepsLease: 4, lease: 8 } as const;
const allPutFlags = 15;
