import { decodeConfigurationData } from './configuration-data.ts';
import type { AppendEntries, AppendEntriesResponse, Entry, Message } from './types.ts';

/** No honest cluster gets there, and a term that cannot grow any more would be the end of elections. */
const countMax = 2 ** 50;

/**
 * Whether a message can be looked at: every number is one that counts, and the entries of an append follow each other.
 * Anything else was not written by a member, and a `NaN` that got into the commit index would stay there.
 */
export function isWellFormed(message: Message): boolean {
  if (typeof message.from !== 'string' || message.from === '' || !isCount(message.term)) return false;
  switch (message.type) {
    case 'preVote':
    case 'requestVote':
      return isCount(message.lastLogIndex) && isCount(message.lastLogTerm) && message.lastLogTerm < message.term;
    case 'preVoteResponse':
    case 'requestVoteResponse':
    case 'timeoutNow':
      return true;
    case 'appendEntries':
      return isWellFormedAppend(message);
    case 'appendEntriesResponse':
      return isWellFormedResult(message.result);
    case 'heartbeat':
      return isCount(message.commit) && isCount(message.commitTerm) && isCount(message.readRound);
    case 'heartbeatResponse':
      return isCount(message.readRound) && isCount(message.suspectTerm);
    case 'readIndex':
      return Number.isSafeInteger(message.context);
    case 'readIndexResponse':
      return Number.isSafeInteger(message.context) && isCount(message.index);
    case 'installSnapshot':
      return isCount(message.index) && message.index > 0;
    default:
      return false;
  }
}

/** A gap in the entries, or a term that falls or is beyond the sender's, would tear the log apart. */
function isWellFormedAppend({ previousIndex, previousTerm, entries, commit, term }: AppendEntries): boolean {
  if (!isCount(previousIndex) || !isCount(previousTerm) || !isCount(commit) || !Array.isArray(entries)) return false;
  if (previousIndex === 0 ? previousTerm !== 0 : previousTerm === 0) return false;
  let index = previousIndex;
  let lastTerm = previousTerm;
  for (const entry of entries) {
    index++;
    if (!isEntryAt(entry, index) || !isCount(entry.term) || entry.term === 0 || entry.term < lastTerm) return false;
    lastTerm = entry.term;
  }
  return lastTerm <= term && isCount(index);
}

function isEntryAt(entry: Entry | null | undefined, index: number): entry is Entry {
  if (entry === null || typeof entry !== 'object' || entry.index !== index) return false;
  if (!(entry.data instanceof Uint8Array)) return false;
  if (entry.type === 'configuration') return decodeConfigurationData(entry.data) !== undefined;
  return entry.type === 'noop' || entry.type === 'command';
}

function isWellFormedResult(result: AppendEntriesResponse['result'] | null | undefined): boolean {
  if (result === null || typeof result !== 'object') return false;
  if (result.accepted) return isCount(result.matchIndex);
  if (typeof result.needsSnapshot !== 'boolean') return false;
  return isCount(result.rejectedIndex) && isCount(result.hintIndex) && isCount(result.hintTerm);
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= countMax;
}
