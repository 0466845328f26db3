import type { LogIndex, MemberId, Message, Term } from '../../../src/raft/index.ts';
import type { DurableEntry, DurableImage } from '../world/durable-image.ts';
import { Violation } from './violation.ts';

/** What is looked at in a running member. */
export interface WatchedCore {
  readonly role: string;
  readonly term: Term;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly lastIndex: LogIndex;
}

/** What is looked at in a member, whether it runs or not. */
export interface WatchedMember {
  readonly id: MemberId;
  readonly durable: DurableImage;
  /** Its disk has lost something, and it was not filled up again since. */
  readonly isDamaged: boolean;
}

interface Applied {
  readonly term: Term;
  readonly checksum: number;
  /** The lowest term of a member that had it committed. */
  readonly inTerm: Term;
  /** The store after it. */
  readonly revision: number;
}

interface Seen {
  term: Term;
  commitIndex: LogIndex;
  appliedIndex: LogIndex;
}

/**
 * What must never happen, looked at from outside: on what leaves a member, on what is on the disks, and on what is
 * applied. The first four are the properties of the Raft paper, figure 3.
 */
export class SafetyWatch {
  readonly #members: readonly WatchedMember[];
  readonly #leaders = new Map<Term, MemberId>();
  /** Leaders whose log has not been compared yet, because the beginning of their term is not durable. */
  readonly #uncompared = new Map<MemberId, Term>();
  /** By `index term`: all logs that hold that entry hold the same one, behind the same one. */
  readonly #entries = new Map<string, { readonly checksum: number; readonly previousTerm: Term }>();
  readonly #applied: (Applied | undefined)[] = [];
  readonly #seen = new Map<MemberId, Seen>();
  terms = 0;

  constructor(members: readonly WatchedMember[]) {
    this.#members = members;
  }

  /** The highest index that any member applied. */
  get appliedIndex(): LogIndex {
    return Math.max(0, this.#applied.length - 1);
  }

  /** A new process of that member begins: what it knew in memory may be less than before. */
  onStart(member: MemberId): void {
    this.#seen.delete(member);
    this.#uncompared.delete(member);
  }

  /** After an event that concerned this member. */
  look({ id }: WatchedMember, core: WatchedCore): void {
    const { role, term, commitIndex, appliedIndex } = core;
    const seen = this.#seen.get(id);
    if (seen === undefined) {
      this.#seen.set(id, { term, commitIndex, appliedIndex });
    } else if (seen.term !== term || seen.commitIndex !== commitIndex || seen.appliedIndex !== appliedIndex) {
      const goesBack = term < seen.term || commitIndex < seen.commitIndex || appliedIndex < seen.appliedIndex;
      if (goesBack) {
        throw new Violation('monotonic indices', `${id} went back: ${describe(seen)}, then ${describe(core)}`);
      }
      seen.term = term;
      seen.commitIndex = commitIndex;
      seen.appliedIndex = appliedIndex;
    }
    if (appliedIndex > commitIndex) {
      throw new Violation('monotonic indices', `${id} applied ${appliedIndex} and committed ${commitIndex}`);
    }
    if (role === 'leader') this.#lookAtLeader(id, term);
    if (this.#uncompared.size > 0) this.#compareLeaders(id, core);
  }

  /** A message is about to leave. A pre-vote, and its grant, carry a term that nobody is in yet. */
  onSend({ id, durable }: WatchedMember, message: Message): void {
    if (message.type === 'preVote' || (message.type === 'preVoteResponse' && message.granted)) return;
    const { term, vote } = durable.hardState ?? { term: 0, vote: undefined };
    const fail = (why: string): never => {
      throw new Violation('promise before durable', `${id} sends ${message.type} of term ${message.term}, but ${why}`);
    };
    if (message.term > term) fail(`its disk is in term ${term}`);
    if (message.term < term) return;
    if (message.type === 'requestVote' && vote !== id) fail(`its disk holds a vote for ${vote}`);
    if (message.type === 'requestVoteResponse' && message.granted && vote !== message.to) {
      fail(`its disk holds a vote for ${vote}`);
    }
    if (message.type !== 'appendEntriesResponse' || !message.result.accepted) return;
    const { matchIndex } = message.result;
    if (matchIndex > durable.lastIndex) fail(`acknowledges ${matchIndex} and its disk ends at ${durable.lastIndex}`);
  }

  /** A batch of the log has become durable. */
  onDurable({ id, durable }: WatchedMember, brought: readonly DurableEntry[]): void {
    for (const { index, term, checksum } of brought) {
      const previousTerm = index === 1 ? 0 : durable.entry(index - 1)?.term;
      if (previousTerm === undefined) continue;
      const name = `${index} ${term}`;
      const known = this.#entries.get(name);
      if (known === undefined) {
        this.#entries.set(name, { checksum, previousTerm });
      } else if (known.checksum !== checksum || known.previousTerm !== previousTerm) {
        throw new Violation('log matching', `${id} holds another entry ${index} of term ${term} than others do`);
      }
    }
  }

  /** The member's store has taken in its durable entry at `index`. */
  onApplied(member: WatchedMember, core: WatchedCore, index: LogIndex, revision: number): void {
    const entry = member.durable.entry(index);
    if (entry === undefined) {
      throw new Violation('state machine safety', `${member.id} applies ${index}, which is not on its disk`);
    }
    const { term, checksum } = entry;
    const first = this.#applied[index];
    if (first === undefined) {
      this.#applied[index] = { term, checksum, inTerm: core.term, revision };
      this.#checkQuorum(member, entry);
      return;
    }
    if (first.term !== term || first.checksum !== checksum) {
      const what = `${member.id} applies the entry ${index} of term ${term}; before, one of term ${first.term} was applied`;
      throw new Violation('state machine safety', what);
    }
    if (first.revision !== revision) {
      const what = `${member.id} is at revision ${revision} after entry ${index}; another member was at ${first.revision}`;
      throw new Violation('state machine safety', what);
    }
    if (core.term < first.inTerm) this.#applied[index] = { ...first, inTerm: core.term };
  }

  #lookAtLeader(id: MemberId, term: Term): void {
    const other = this.#leaders.get(term);
    if (other === id) return;
    if (other !== undefined) throw new Violation('election safety', `${other} and ${id} both lead in term ${term}`);
    this.#leaders.set(term, id);
    this.terms++;
    this.#uncompared.set(id, term);
  }

  /** A leader holds everything that was committed before its term; compared when its first own entry is durable. */
  #compareLeaders(id: MemberId, core: WatchedCore): void {
    const term = this.#uncompared.get(id);
    if (term === undefined) return;
    if (core.role !== 'leader' || core.term !== term) {
      this.#uncompared.delete(id);
      return;
    }
    const durable = this.#members.find((member) => member.id === id)?.durable;
    if (durable?.entry(durable.lastIndex)?.term !== term) return;
    this.#uncompared.delete(id);
    for (let index = this.#applied.length - 1; index > 0; index--) {
      const applied = this.#applied[index];
      if (applied === undefined || applied.inTerm >= term) continue;
      const own = durable.entry(index);
      if (own?.term === applied.term && own.checksum === applied.checksum) return;
      throw new Violation('leader completeness', `${id} leads in term ${term} without the committed entry ${index}`);
    }
  }

  /** Whoever lost it with its disk did have it. */
  #checkQuorum({ id }: WatchedMember, { index, term }: DurableEntry): void {
    const holders = this.#members.filter(
      (member) => member.isDamaged || member.durable.entry(index)?.term === term,
    ).length;
    if (2 * holders > this.#members.length) return;
    throw new Violation('commit on a quorum', `${id} applies ${index}, which is on ${holders} disks only`);
  }
}

function describe({ term, commitIndex, appliedIndex }: Seen): string {
  return `term ${term}, commit ${commitIndex}, applied ${appliedIndex}`;
}
