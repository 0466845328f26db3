import { crc32c } from '../base/checksum.ts';
import { decodeEntry, encodeEntry, entryChecksum } from '../raft/entry-record.ts';
import type { Configuration, Entry, HardState, LogIndex, MemberId, Term } from '../raft/types.ts';
import { SealedRecordReader, SealedRecordWriter } from './sealed-record.ts';

/** The version of everything below; a log of another one is refused. */
export const logFormatVersion = 1;

/** Written once, when the log is created: whose log this is, and the configuration it began with. */
export interface LogHeader {
  readonly clusterId: string;
  readonly memberId: MemberId;
  readonly groupId: number;
  readonly bootstrap: Configuration;
}

/**
 * Rewritten by every batch, in the same batch: what the log must hold. It also carries the hard state, so that term
 * and vote cannot be of another age than the entries.
 */
export interface Tail {
  /** Counts the batches from 1. */
  readonly sequence: number;
  /** Which opening of the log wrote this. */
  readonly bootId: string;
  readonly hardState: HardState;
  readonly firstIndex: LogIndex;
  /** firstIndex - 1 if the log is empty. */
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** Term and chain of the entry before firstIndex: what the first entry is checked against. */
  readonly baseTerm: Term;
  readonly baseChain: number;
  readonly chain: number;
}

/**
 * Where a log begins whose first entries are gone: dropped, because the store holds what they did, or never had, because
 * the store came as a snapshot. Rewritten by the batch that moves it; a log from index 1 on has none.
 */
export interface LogBase {
  /** Of the last entry that is not there. */
  readonly index: LogIndex;
  readonly term: Term;
  readonly chain: number;
  /** In effect at `index`. */
  readonly configuration: Configuration;
}

/** An entry as it is stored, with the chain up to it. */
export interface ChainedEntry {
  readonly entry: Entry;
  readonly chain: number;
}

/** The chain before the first entry: another one for each cluster and group, the same on all members. */
export function chainSeed(clusterId: string, groupId: number): number {
  return crc32c(Buffer.from(`${clusterId} ${groupId}`));
}

/** The chain behind a snapshot, whose entries this member never had. */
export function chainBehindSnapshot(clusterId: string, groupId: number, index: LogIndex, term: Term): number {
  return crc32c(Buffer.from(`${clusterId} ${groupId} ${index} ${term}`));
}

/**
 * The chain up to an entry: a checksum over the checksums of all records so far. Not over the records themselves: a
 * record without data ends with its own CRC, and a CRC over that is a constant, so that empty entries would not count.
 * Over four bytes a CRC is one to one: records with different checksums always give different chains.
 */
export function chainAfter(previous: number, entry: Entry): number {
  linkBytes.writeUInt32BE(entryChecksum(encodeEntry(entry)), 0);
  return crc32c(linkBytes, previous);
}

const linkBytes = Buffer.alloc(4);

/** The value of an entry: chain u32, record. */
export function encodeChainedEntry(chained: ChainedEntry): Buffer {
  const record = encodeEntry(chained.entry);
  const value = Buffer.allocUnsafe(4 + record.length);
  value.writeUInt32BE(chained.chain, 0);
  record.copy(value, 4);
  return value;
}

/** `undefined` if the record is damaged. Whether the chain fits only the entry before it can tell. */
export function decodeChainedEntry(value: Buffer): ChainedEntry | undefined {
  if (value.length < 4) return undefined;
  const entry = decodeEntry(value.subarray(4));
  return entry && { entry, chain: value.readUInt32BE(0) };
}

/** Room for the fixed fields and two identities. */
const tailBytesMax = 256;

export function encodeTail(tail: Tail): Buffer {
  return new SealedRecordWriter(logFormatVersion, tailBytesMax)
    .u64(tail.sequence)
    .u64(tail.hardState.term)
    .u64(tail.hardState.commit)
    .u64(tail.firstIndex)
    .u64(tail.lastIndex)
    .u64(tail.lastTerm)
    .u64(tail.baseTerm)
    .u32(tail.baseChain)
    .u32(tail.chain)
    .u64(tail.hardState.suspectTerm ?? 0)
    .text(tail.hardState.vote ?? '')
    .text(tail.bootId)
    .seal();
}

/** `undefined` if the record is damaged or of another format. */
export function decodeTail(value: Buffer): Tail | undefined {
  const reader = SealedRecordReader.open(value);
  if (reader?.formatVersion !== logFormatVersion) return undefined;
  const sequence = reader.u64();
  const term = reader.u64();
  const commit = reader.u64();
  const [firstIndex, lastIndex, lastTerm, baseTerm] = [reader.u64(), reader.u64(), reader.u64(), reader.u64()];
  const [baseChain, chain] = [reader.u32(), reader.u32()];
  const suspectTerm = reader.u64();
  const vote = reader.text() || undefined;
  const bootId = reader.text();
  const hardState = { term, vote, commit };
  if (!reader.isValid || !reader.isAtEnd || firstIndex < 1 || lastIndex < firstIndex - 1) return undefined;
  return {
    sequence,
    bootId,
    hardState: suspectTerm === 0 ? hardState : { ...hardState, suspectTerm },
    firstIndex,
    lastIndex,
    lastTerm,
    baseTerm,
    baseChain,
    chain,
  };
}

const headerBytesMax = 64 * 1024;

export function encodeHeader(header: LogHeader): Buffer {
  return new SealedRecordWriter(logFormatVersion, headerBytesMax)
    .text(header.clusterId)
    .text(header.memberId)
    .u32(header.groupId)
    .text(JSON.stringify(header.bootstrap))
    .seal();
}

/** `undefined` if the record is damaged; only the version if it is of another format. */
export function decodeHeader(value: Buffer): LogHeader | { readonly unknownVersion: number } | undefined {
  const reader = SealedRecordReader.open(value);
  if (reader === undefined) return undefined;
  if (reader.formatVersion !== logFormatVersion) return { unknownVersion: reader.formatVersion };
  const clusterId = reader.text();
  const memberId = reader.text();
  const groupId = reader.u32();
  const bootstrap = parseConfiguration(reader.text());
  if (!reader.isValid || !reader.isAtEnd || bootstrap === undefined) return undefined;
  return { clusterId, memberId, groupId, bootstrap };
}

export function encodeBase(base: LogBase): Buffer {
  return new SealedRecordWriter(logFormatVersion, headerBytesMax)
    .u64(base.index)
    .u64(base.term)
    .u32(base.chain)
    .text(JSON.stringify(base.configuration))
    .seal();
}

/** `undefined` if the record is damaged or of another format. */
export function decodeBase(value: Buffer): LogBase | undefined {
  const reader = SealedRecordReader.open(value);
  if (reader?.formatVersion !== logFormatVersion) return undefined;
  const [index, term, chain] = [reader.u64(), reader.u64(), reader.u32()];
  const configuration = parseConfiguration(reader.text());
  if (!reader.isValid || !reader.isAtEnd || configuration === undefined || index < 1) return undefined;
  return { index, term, chain, configuration };
}

function parseConfiguration(text: string): Configuration | undefined {
  const parsed = parseObject(text);
  if (parsed === undefined) return undefined;
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = parsed;
  if (!isTexts(voters) || !isTexts(votersOutgoing) || !isTexts(learners) || !isTexts(learnersNext)) return undefined;
  if (typeof autoLeave !== 'boolean') return undefined;
  return { voters, votersOutgoing, learners, learnersNext, autoLeave };
}

/** The object in a JSON text; `undefined` for anything else. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
