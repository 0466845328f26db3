import { unreachable } from '../../base/assert.ts';
import { isJoint } from '../configuration.ts';
import { decodeConfigurationData } from '../configuration-data.ts';
import type {
  Configuration,
  Entry,
  FollowerView,
  HardState,
  LogIndex,
  MemberId,
  Message,
  RaftStatus,
  Snapshot,
  SoftState,
  Term,
} from '../types.ts';

/**
 * How scenarios print what the core says, in the core's own words. Index and term of an entry are written `3@2`:
 * entry 3 of term 2; `0@0` stands before the first entry.
 */
export function describeMessage(message: Message): string {
  const { from, to, type, term } = message;
  return `${from}->${to} ${type.padEnd(21)} term=${term} ${describeContents(message)}`.trimEnd();
}

/** What happens at a node, as one line of a scenario's output. */
export function describeAct(node: MemberId, act: string, detail: string): string {
  return `${node} ${act.padEnd(13)} ${detail}`.trimEnd();
}

export function describeEntry({ term, index, type, data }: Entry): string {
  return `${index}@${term} ${type === 'noop' ? type : type === 'command' ? describeData(data) : describeChange(data)}`;
}

/** `(1,2,4)&&(1,2,3)` decide together while it is joint. */
export function describeConfiguration(configuration: Configuration): string {
  const { voters, votersOutgoing, learners, learnersNext } = configuration;
  return [
    `voters=(${voters})${isJoint(configuration) ? `&&(${votersOutgoing})` : ''}`,
    ...(learners.length > 0 ? [`learners=(${learners})`] : []),
    ...(learnersNext.length > 0 ? [`learnersNext=(${learnersNext})`] : []),
  ].join(' ');
}

export function describeSnapshot({ index, term, configuration }: Snapshot): string {
  return `${at(index, term)} ${describeConfiguration(configuration)}`;
}

/** Long runs are cut to their ends. */
export function describeEntries(entries: readonly Entry[]): string {
  const [first] = entries;
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return 'none';
  if (entries.length <= 4) return entries.map(describeEntry).join(', ');
  return `${describeEntry(first)} .. ${describeEntry(last)}`;
}

/** The log as the paper draws it: the terms, run by run. `1@1..3@1, 4@2`. */
export function describeLog(entries: readonly Entry[]): string {
  if (entries.length === 0) return 'empty';
  const runs: [Entry, Entry][] = [];
  for (const entry of entries) {
    const run = runs.at(-1);
    if (run !== undefined && run[1].term === entry.term) run[1] = entry;
    else runs.push([entry, entry]);
  }
  return runs.map(([low, high]) => (low === high ? position(low) : `${position(low)}..${position(high)}`)).join(', ');
}

export function describeHardState({ term, vote, commit }: HardState): string {
  return `term=${term} vote=${vote ?? 'none'} commit=${commit}`;
}

export function describeSoftState({ role, leader }: SoftState): string {
  return `${role}, ${leader === undefined ? 'no leader' : `leader ${leader}`}`;
}

export function describeStatus(status: RaftStatus): string {
  const { role, term, vote, leader, lastIndex, commitIndex, appliedIndex, uncommittedBytes, transferTarget } = status;
  const { suspectTerm } = status;
  return [
    role.padEnd(12),
    `term=${term} vote=${vote ?? 'none'} leader=${leader ?? 'none'}`,
    `last=${lastIndex} commit=${commitIndex} applied=${appliedIndex}`,
    ...(uncommittedBytes > 0 ? [`uncommittedBytes=${uncommittedBytes}`] : []),
    ...(transferTarget === undefined ? [] : [`transferTarget=${transferTarget}`]),
    ...(suspectTerm === undefined ? [] : [`suspectTerm=${suspectTerm}`]),
  ].join(' ');
}

export function describeFollower(follower: FollowerView): string {
  const { id, role, state, matchIndex, nextIndex, inflightMessages, recentlyActive } = follower;
  const standing = `${role.padEnd(7)} ${state.padEnd(9)} match=${matchIndex} next=${nextIndex}`;
  return `${id}: ${standing} inflight=${inflightMessages}${recentlyActive ? '' : ', silent'}`;
}

function describeContents(message: Message): string {
  switch (message.type) {
    case 'preVote':
      return `last=${at(message.lastLogIndex, message.lastLogTerm)}`;
    case 'requestVote':
      return `last=${at(message.lastLogIndex, message.lastLogTerm)}${message.transfer ? ' transfer' : ''}`;
    case 'preVoteResponse':
    case 'requestVoteResponse':
      return message.granted ? 'granted' : 'refused';
    case 'appendEntries': {
      const previous = `previous=${at(message.previousIndex, message.previousTerm)} commit=${message.commit}`;
      return message.entries.length === 0 ? previous : `${previous} entries=[${describeEntries(message.entries)}]`;
    }
    case 'appendEntriesResponse': {
      const { result } = message;
      if (result.accepted) return `accepted match=${result.matchIndex}`;
      if (result.needsSnapshot) return `rejected=${result.rejectedIndex} needs a snapshot`;
      return `rejected=${result.rejectedIndex} hint=${at(result.hintIndex, result.hintTerm)}`;
    }
    case 'heartbeat':
      return `commit=${at(message.commit, message.commitTerm)}${describeRound(message.readRound)}`;
    case 'heartbeatResponse':
      return `${describeRound(message.readRound)}${describeSuspicion(message.suspectTerm)}`.trimStart();
    case 'readIndex':
      return `context=${message.context}`;
    case 'readIndexResponse':
      return `context=${message.context} index=${message.index}`;
    case 'timeoutNow':
      return '';
    case 'installSnapshot':
      return `index=${message.index}`;
    default:
      return unreachable(message);
  }
}

function describeRound(readRound: number): string {
  return readRound === 0 ? '' : ` readRound=${readRound}`;
}

function describeSuspicion(suspectTerm: Term): string {
  return suspectTerm === 0 ? '' : ` suspectTerm=${suspectTerm}`;
}

/** Text as it is; what would only fill the line, by its length. */
function describeData(data: Uint8Array): string {
  const text = Buffer.from(data).toString('latin1');
  return text.length <= 24 && /^[ -~]*$/.test(text) ? `"${text}"` : `(${data.length} bytes)`;
}

function describeChange(data: Uint8Array): string {
  const decoded = decodeConfigurationData(data);
  return decoded === undefined ? 'damaged' : describeConfiguration(decoded.configuration);
}

function position({ index, term }: Entry): string {
  return at(index, term);
}

function at(index: LogIndex, term: Term): string {
  return `${index}@${term}`;
}
