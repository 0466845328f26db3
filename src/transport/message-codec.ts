import { unreachable } from '../base/assert.ts';
import { decodeEntry, encodeEntry } from '../raft/entry-record.ts';
import type { AppendEntriesResponse, Entry, MemberId, Message } from '../raft/types.ts';

/** The two ends of the connection a message came over. They are not on the wire: nobody can speak for another. */
export interface Ends {
  readonly from: MemberId;
  readonly to: MemberId;
}

/** A message as msgpack takes it: its number, the term, and the fields of its type in the order given here. */
export function packMessage(message: Message): readonly unknown[] {
  const { term } = message;
  switch (message.type) {
    case 'preVote':
      return [1, term, message.lastLogIndex, message.lastLogTerm];
    case 'preVoteResponse':
      return [2, term, message.granted];
    case 'requestVote':
      return [3, term, message.lastLogIndex, message.lastLogTerm, message.transfer];
    case 'requestVoteResponse':
      return [4, term, message.granted];
    case 'appendEntries': {
      const { previousIndex, previousTerm, commit, entries } = message;
      return [5, term, previousIndex, previousTerm, commit, entries.map((entry) => encodeEntry(entry))];
    }
    case 'appendEntriesResponse': {
      const { result } = message;
      if (result.accepted) return [6, term, true, result.matchIndex];
      // A field of its own only where it says something: members that do not know it understand all others.
      return [
        6,
        term,
        false,
        result.rejectedIndex,
        result.hintIndex,
        result.hintTerm,
        ...(result.needsSnapshot ? [true] : []),
      ];
    }
    case 'heartbeat':
      return [7, term, message.commit, message.commitTerm, message.readRound];
    case 'heartbeatResponse':
      return [8, term, message.readRound, message.suspectTerm];
    case 'readIndex':
      return [9, term, message.context];
    case 'readIndexResponse':
      return [10, term, message.context, message.index];
    case 'timeoutNow':
      return [11, term];
    case 'installSnapshot':
      return [12, term, message.index];
    default:
      return unreachable(message);
  }
}

/** The opposite of `packMessage`, with every field checked; a reason, in words, if it is no message. */
export function parseMessage(packed: unknown, ends: Ends): Message | string {
  if (!Array.isArray(packed)) return 'a message is not an array';
  const [type, ...fields] = packed as unknown[];
  const parse = typeof type === 'number' ? parsers[type] : undefined;
  if (parse === undefined) return `there is no message type ${String(type)}`;
  return parse(fields, ends) ?? `a message of type ${type} with fields that do not fit`;
}

type Parser = (fields: readonly unknown[], ends: Ends) => Message | string | undefined;

const parsers: Readonly<Record<number, Parser>> = {
  1: (fields, ends) => {
    const [term, lastLogIndex, lastLogTerm] = fields;
    if (fields.length !== 3 || !isCount(term) || !isCount(lastLogIndex) || !isCount(lastLogTerm)) return undefined;
    return { type: 'preVote', ...ends, term, lastLogIndex, lastLogTerm };
  },
  2: (fields, ends) => {
    const [term, granted] = fields;
    if (fields.length !== 2 || !isCount(term) || typeof granted !== 'boolean') return undefined;
    return { type: 'preVoteResponse', ...ends, term, granted };
  },
  3: (fields, ends) => {
    const [term, lastLogIndex, lastLogTerm, transfer] = fields;
    if (fields.length !== 4 || !isCount(term) || !isCount(lastLogIndex) || !isCount(lastLogTerm)) return undefined;
    if (typeof transfer !== 'boolean') return undefined;
    return { type: 'requestVote', ...ends, term, lastLogIndex, lastLogTerm, transfer };
  },
  4: (fields, ends) => {
    const [term, granted] = fields;
    if (fields.length !== 2 || !isCount(term) || typeof granted !== 'boolean') return undefined;
    return { type: 'requestVoteResponse', ...ends, term, granted };
  },
  5: (fields, ends) => {
    const [term, previousIndex, previousTerm, commit, records] = fields;
    if (fields.length !== 5 || !isCount(term) || !isCount(previousIndex) || !isCount(previousTerm)) return undefined;
    if (!isCount(commit) || !Array.isArray(records) || previousTerm > term) return undefined;
    const entries = parseEntries(records, { term, previousIndex, previousTerm });
    if (typeof entries === 'string') return entries;
    return { type: 'appendEntries', ...ends, term, previousIndex, previousTerm, entries, commit };
  },
  6: (fields, ends) => {
    const [term, ...rest] = fields;
    const result = parseAppendResult(rest);
    if (!isCount(term) || result === undefined) return undefined;
    return { type: 'appendEntriesResponse', ...ends, term, result };
  },
  7: (fields, ends) => {
    const [term, commit, commitTerm, readRound] = fields;
    if (fields.length !== 4 || !isCount(term) || !isCount(commit) || !isCount(commitTerm)) return undefined;
    if (!isCount(readRound)) return undefined;
    return { type: 'heartbeat', ...ends, term, commit, commitTerm, readRound };
  },
  8: (fields, ends) => {
    const [term, readRound, suspectTerm] = fields;
    if (fields.length !== 3 || !isCount(term) || !isCount(readRound) || !isCount(suspectTerm)) return undefined;
    return { type: 'heartbeatResponse', ...ends, term, readRound, suspectTerm };
  },
  9: (fields, ends) => {
    const [term, context] = fields;
    if (fields.length !== 2 || !isCount(term) || !isCount(context)) return undefined;
    return { type: 'readIndex', ...ends, term, context };
  },
  10: (fields, ends) => {
    const [term, context, index] = fields;
    if (fields.length !== 3 || !isCount(term) || !isCount(context) || !isCount(index)) return undefined;
    return { type: 'readIndexResponse', ...ends, term, context, index };
  },
  11: (fields, ends) => {
    const [term] = fields;
    if (fields.length !== 1 || !isCount(term)) return undefined;
    return { type: 'timeoutNow', ...ends, term };
  },
  12: (fields, ends) => {
    const [term, index] = fields;
    if (fields.length !== 2 || !isCount(term) || !isCount(index)) return undefined;
    return { type: 'installSnapshot', ...ends, term, index };
  },
};

function parseAppendResult(fields: readonly unknown[]): AppendEntriesResponse['result'] | undefined {
  const [accepted, first, hintIndex, hintTerm, needsSnapshot = false] = fields;
  if (!isCount(first)) return undefined;
  if (accepted === true) return fields.length === 2 ? { accepted, matchIndex: first } : undefined;
  if (accepted !== false || fields.length > 5 || !isCount(hintIndex) || !isCount(hintTerm)) return undefined;
  if (typeof needsSnapshot !== 'boolean') return undefined;
  return { accepted, rejectedIndex: first, hintIndex, hintTerm, needsSnapshot };
}

/**
 * Entries that follow `previousIndex` without a gap, in terms that never fall and are not above the message's: what a
 * core may rely on before it compares them with its own log.
 */
function parseEntries(
  records: readonly unknown[],
  append: { readonly term: number; readonly previousIndex: number; readonly previousTerm: number },
): readonly Entry[] | string {
  const entries: Entry[] = [];
  let { previousIndex, previousTerm } = append;
  for (const record of records) {
    if (!(record instanceof Uint8Array)) return 'an entry is not a record';
    const entry = decodeEntry(record as Buffer);
    if (entry === undefined) return `the entry after index ${previousIndex} is damaged`;
    if (entry.index !== previousIndex + 1) return `entry ${entry.index} follows index ${previousIndex}`;
    if (entry.term < previousTerm || entry.term > append.term) {
      return `entry ${entry.index} of term ${entry.term} follows term ${previousTerm} in a message of term ${append.term}`;
    }
    entries.push(entry);
    previousIndex = entry.index;
    previousTerm = entry.term;
  }
  return entries;
}

/** A whole number from 0 that JavaScript can hold exactly. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
