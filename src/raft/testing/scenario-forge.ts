import type { LogIndex, Message, Term } from '../types.ts';
import { presetEntry } from './scenario-cluster.ts';
import { type Command, ScenarioMistake } from './scenario-script.ts';

/** The message that a `forge` command spells out: the envelope by its link and `term=`, the rest by its own options. */
export function forgedMessage(command: Command): Message {
  const match = /^(\w+)->(\w+)$/.exec(command.words[0] ?? '');
  if (match === null) throw new ScenarioMistake('forge needs a link, as 1->2');
  const [, from = '', to = ''] = match;
  const envelope = { from, to, term: command.count('term') ?? 0 };
  const type = command.text('type');
  switch (type) {
    case 'appendEntries': {
      const [previousIndex, previousTerm] = position(command.text('previous') ?? '0@0');
      const entries = (command.list('log') ?? []).map((term, i) => presetEntry(Number(term), previousIndex + i));
      return { ...envelope, type, previousIndex, previousTerm, entries, commit: command.count('commit') ?? 0 };
    }
    case 'appendEntriesResponse': {
      const matchIndex = command.count('match') ?? 0;
      return { ...envelope, type, result: { accepted: true, matchIndex } };
    }
    case 'heartbeat': {
      const [commit, commitTerm] = position(command.text('commit') ?? '0@0');
      return { ...envelope, type, commit, commitTerm, readRound: 0 };
    }
    case 'heartbeatResponse':
      return { ...envelope, type, readRound: 0, suspectTerm: command.count('suspect') ?? 0 };
    case 'preVote': {
      const [lastLogIndex, lastLogTerm] = position(command.text('last') ?? '0@0');
      return { ...envelope, type, lastLogIndex, lastLogTerm };
    }
    case 'requestVote': {
      const [lastLogIndex, lastLogTerm] = position(command.text('last') ?? '0@0');
      return { ...envelope, type, lastLogIndex, lastLogTerm, transfer: false };
    }
    case 'preVoteResponse':
    case 'requestVoteResponse':
      return { ...envelope, type, granted: true };
    case 'readIndexResponse':
      return { ...envelope, type, context: command.count('context') ?? 0, index: command.count('index') ?? 0 };
    case 'installSnapshot':
      return { ...envelope, type, index: command.count('index') ?? 0 };
    case 'timeoutNow':
      return { ...envelope, type };
    default:
      throw new ScenarioMistake(`type=${type}: there is no forging of that`);
  }
}

function position(text: string): [LogIndex, Term] {
  const match = /^(\d+)@(\d+)$/.exec(text);
  if (match === null) throw new ScenarioMistake(`"${text}" is not a place in the log, as 3@1`);
  return [Number(match[1]), Number(match[2])];
}
