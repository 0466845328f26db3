import { InvariantViolation } from '../base/assert.ts';
import type { LogIndex } from '../raft/types.ts';
import type { Database } from './database.ts';
import { codeOf, DamagedStorage, damageAdvice, StorageRefused } from './errors.ts';
import { IndexRanges } from './index-ranges.ts';
import { groupRange, parseLogKey, tailKey } from './log-keys.ts';
import {
  type ChainedEntry,
  chainAfter,
  decodeBase,
  decodeChainedEntry,
  decodeHeader,
  decodeTail,
  type LogBase,
  type LogHeader,
  logFormatVersion,
  type Tail,
} from './log-records.ts';
import type { Receipt } from './receipt.ts';

/** What a log says of itself. */
export interface VerifiedLog {
  readonly header: LogHeader;
  readonly tail: Tail;
  /** Of a log that begins behind index 1. */
  readonly base: LogBase | undefined;
}

export interface VerifyOptions {
  readonly database: Database;
  readonly groupId: number;
  /** `lost`: there was one, so there is a log; but nothing to compare it with. */
  readonly receipt: Receipt | 'lost' | undefined;
  /** For messages: where the log is. */
  readonly where: string;
  /** Gets the entries in order, up to the first that is missing or damaged. */
  readonly onEntry: (chained: ChainedEntry) => void;
}

/**
 * Reads the whole log of a group and compares it with its tail record and its receipt. `undefined` if there is no log
 * and no receipt says that there was one. Rejects with `DamagedStorage`, after reading to the end so that the message
 * names everything that is missing. Writes nothing.
 */
export async function verifyLog(options: VerifyOptions): Promise<VerifiedLog | undefined> {
  const { where } = options;
  const receipt = options.receipt === 'lost' ? undefined : options.receipt;
  const { tailValue, tail, walk } = await readLog(options);
  if (walk.isEmpty && options.receipt === undefined) return undefined;
  const { header } = walk;
  if (header !== undefined && 'unknownVersion' in header) throw unknownFormat(where, header.unknownVersion);
  const contradictions = [];
  if (tail === undefined) contradictions.push(missingTail(tailValue, receipt));
  else if (options.receipt !== 'lost') contradictions.push(...compareWithReceipt(tail, receipt));
  const findings = [...contradictions, ...walk.findings];
  if (header === undefined) findings.push('The record that says whose log this is is missing or damaged.');
  else if (header.groupId !== options.groupId) findings.push(`The log is that of group ${header.groupId}.`);
  if (tail !== undefined) findings.push(...compareWithBase(tail, walk.base));
  if (tail === undefined || header === undefined || findings.length > 0) {
    throw new DamagedStorage({ what: findings.join(' '), where, advice: damageAdvice });
  }
  return { header, tail, base: walk.base === 'damaged' ? undefined : walk.base };
}

interface LogReading {
  readonly tailValue: Buffer | undefined;
  readonly tail: Tail | undefined;
  readonly walk: LogWalk;
}

async function readLog({ database, groupId, where, onEntry }: VerifyOptions): Promise<LogReading> {
  const iterator = database.iterator(groupRange(groupId));
  try {
    const tailValue = await database.get(tailKey(groupId));
    const tail = tailValue && decodeTail(tailValue);
    const walk = new LogWalk(tail, onEntry);
    for (let records = await iterator.nextv(1000); records.length > 0; records = await iterator.nextv(1000)) {
      for (const [key, value] of records) walk.visit(key, value);
    }
    walk.finish();
    return { tailValue, tail, walk };
  } catch (cause) {
    if (cause instanceof InvariantViolation || codeOf(cause) === 'LEVEL_DATABASE_NOT_OPEN') throw cause;
    throw new DamagedStorage({ what: 'The log could not be read to its end.', where, advice: damageAdvice, cause });
  } finally {
    await iterator.close();
  }
}

function unknownFormat(where: string, version: number): StorageRefused {
  return new StorageRefused({
    what: `The log has the format ${version}; this version of Balsa reads the format ${logFormatVersion}.`,
    where,
    advice: 'Start the version of Balsa that wrote it.',
  });
}

function missingTail(value: Buffer | undefined, receipt: Receipt | undefined): string {
  const what = value === undefined ? 'missing' : 'damaged';
  if (receipt === undefined) return `The record of the log's end is ${what}.`;
  return `The record of the log's end is ${what}; the receipt says that the log reached the index ${receipt.lastIndex}.`;
}

/**
 * The receipt is written after the batch, so the log is as new as its receipt or newer. Of two that are equally new
 * every field has to agree; a newer log may have replaced entries since, but never gone back in term.
 */
function compareWithReceipt(tail: Tail, receipt: Receipt | undefined): string[] {
  const { term, vote } = tail.hardState;
  if (receipt === undefined) {
    // The first receipt is durable before the second batch begins.
    return tail.sequence > 1 ? [`The receipt is missing although the log has ${tail.sequence} batches.`] : [];
  }
  if (tail.sequence < receipt.sequence) {
    const lost =
      tail.lastIndex < receipt.lastIndex
        ? `the entries ${tail.lastIndex + 1} to ${receipt.lastIndex} are missing`
        : 'a vote, a term or replaced entries are missing';
    return [
      `The log ends at batch ${tail.sequence} and index ${tail.lastIndex}, but its receipt is of batch ` +
        `${receipt.sequence} and index ${receipt.lastIndex}: ${lost}.`,
    ];
  }
  if (term < receipt.term) return [`The log is of term ${term}, but its receipt is of term ${receipt.term}.`];
  if (tail.sequence > receipt.sequence) return [];
  const agrees =
    term === receipt.term &&
    vote === receipt.vote &&
    tail.lastIndex === receipt.lastIndex &&
    tail.lastTerm === receipt.lastTerm &&
    tail.chain === receipt.chain;
  return agrees ? [] : [`The log and its receipt are both of batch ${tail.sequence} and contradict each other.`];
}

/** A log without its first entries says what they came to; no other log does. */
function compareWithBase({ firstIndex, baseTerm, baseChain }: Tail, base: LogBase | 'damaged' | undefined): string[] {
  if (base === 'damaged') return ["The record of the log's beginning is damaged."];
  if (base === undefined) return firstIndex === 1 ? [] : ["The record of the log's beginning is missing."];
  const agrees = base.index === firstIndex - 1 && base.term === baseTerm && base.chain === baseChain;
  return agrees ? [] : ['The records of the beginning and of the end of the log contradict each other.'];
}

/** Goes over the records of one group in the order of their keys: header, base, entries, tail. */
class LogWalk {
  header: ReturnType<typeof decodeHeader>;
  base: LogBase | 'damaged' | undefined;
  isEmpty = true;
  readonly #tail: Tail | undefined;
  readonly #onEntry: (chained: ChainedEntry) => void;
  readonly #missing = new IndexRanges();
  readonly #damaged = new IndexRanges();
  readonly #unchained = new IndexRanges();
  readonly #beyond = new IndexRanges();
  #unknownKeys = 0;
  #expectedIndex: LogIndex;
  /** `undefined` behind a gap, where only the next entry's own word is left. */
  #chain: number | undefined;
  #lastTerm: number | undefined;
  #isSound = true;

  constructor(tail: Tail | undefined, onEntry: (chained: ChainedEntry) => void) {
    this.#tail = tail;
    this.#onEntry = onEntry;
    this.#expectedIndex = tail?.firstIndex ?? 1;
    this.#chain = tail?.baseChain;
    this.#lastTerm = tail?.baseTerm;
  }

  visit(key: Buffer, value: Buffer): void {
    this.isEmpty = false;
    const parsed = parseLogKey(key);
    if (parsed === undefined) this.#unknownKeys++;
    else if (parsed.kind === 'header') this.header = decodeHeader(value);
    else if (parsed.kind === 'base') this.base = decodeBase(value) ?? 'damaged';
    else if (parsed.kind === 'entry') this.#visitEntry(parsed.index, value);
  }

  finish(): void {
    const tail = this.#tail;
    if (tail === undefined) return;
    if (this.#expectedIndex <= tail.lastIndex) this.#missing.add(this.#expectedIndex, tail.lastIndex);
  }

  /** Sentences; empty if the entries are what the tail says. */
  get findings(): string[] {
    const findings: string[] = [];
    if (!this.#missing.isEmpty) findings.push(`Entries are missing: ${this.#missing.describe()}.`);
    if (!this.#damaged.isEmpty) findings.push(`Entries are damaged: ${this.#damaged.describe()}.`);
    if (!this.#unchained.isEmpty) findings.push(`Entries do not follow the one before: ${this.#unchained.describe()}.`);
    if (!this.#beyond.isEmpty) findings.push(`Entries lie outside the log: ${this.#beyond.describe()}.`);
    if (this.#unknownKeys > 0) findings.push(`There are ${this.#unknownKeys} records that were never written.`);
    const tail = this.#tail;
    if (findings.length > 0 || tail === undefined) return findings;
    if (this.#chain !== tail.chain) findings.push('The last entry is not the one that the record of the end names.');
    else if (this.#lastTerm !== tail.lastTerm)
      findings.push('The last entry has another term than the record of the end.');
    return findings;
  }

  #visitEntry(index: LogIndex, value: Buffer): void {
    const tail = this.#tail;
    if (tail !== undefined && (index < this.#expectedIndex || index > tail.lastIndex)) {
      this.#beyond.add(index, index);
      return;
    }
    if (index > this.#expectedIndex) {
      this.#missing.add(this.#expectedIndex, index - 1);
      this.#chain = undefined;
      this.#isSound = false;
    }
    this.#expectedIndex = index + 1;
    const chained = decodeChainedEntry(value);
    if (chained === undefined || chained.entry.index !== index) {
      this.#damaged.add(index, index);
      this.#chain = undefined;
      this.#isSound = false;
      return;
    }
    if (this.#chain !== undefined && chainAfter(this.#chain, chained.entry) !== chained.chain) {
      this.#unchained.add(index, index);
    }
    this.#chain = chained.chain;
    this.#lastTerm = chained.entry.term;
    if (this.#isSound) this.#onEntry(chained);
  }
}
