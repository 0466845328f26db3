import { isJoint, isVoter, leaveJoint } from '../../../src/raft/configuration.ts';
import {
  type Configuration,
  isEmptyConfiguration,
  type LogIndex,
  type MemberId,
  type Message,
  membersOf,
  type Term,
} from '../../../src/raft/index.ts';
import type { DurableEntry, DurableImage } from '../world/durable-image.ts';
import { Violation } from './violation.ts';

/** What is looked at in a running member. */
export interface WatchedCore {
  readonly role: string;
  readonly term: Term;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly lastIndex: LogIndex;
  status(): { readonly configuration: Configuration };
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
  readonly #founding: Configuration;
  /** The batch of each log behind which its configuration was looked at last. */
  readonly #compared = new Map<MemberId, number | undefined>();
  /** Who voted for a member in a term, as it was told; by `term member`. */
  readonly #votes = new Map<string, Set<MemberId>>();
  /** The newest committed one, and where. */
  #configuration: { readonly index: LogIndex; readonly configuration: Configuration };
  /** Members of every configuration that was committed. */
  readonly #everyone = new Set<MemberId>();
  readonly #removed = new Set<MemberId>();
  terms = 0;
  /** Configurations that were committed. */
  configurations = 0;

  /** The members may become more. */
  constructor(members: readonly WatchedMember[], founding: Configuration) {
    this.#members = members;
    this.#founding = founding;
    this.#configuration = { index: 0, configuration: founding };
    for (const member of founding.voters) this.#everyone.add(member);
  }

  /** The newest that is committed. */
  get configuration(): Configuration {
    return this.#configuration.configuration;
  }

  /** For good: the configuration without it is committed. */
  isRemoved(member: MemberId): boolean {
    return this.#removed.has(member);
  }

  /** It was removed, or a quorum has the configuration without it: who leads knows that first. */
  isBeingRemoved(member: MemberId): boolean {
    if (this.#removed.has(member)) return true;
    return this.#members.some(({ durable }) =>
      durable.configurationEntriesBehind(this.#configuration.index).some(({ index, term, configuration }) => {
        if (isJoint(configuration) || membersOf(configuration).includes(member)) return false;
        const holds = (id: MemberId): boolean =>
          this.#members.some((one) => one.id === id && one.durable.holds(index, term));
        return isQuorum(configuration, holds);
      }),
    );
  }

  /** The newest that is committed, and all that may take its place, because some disk holds them. */
  possibleConfigurations(): readonly Configuration[] {
    return this.#decidingOn(Number.POSITIVE_INFINITY);
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

  onDelivered(message: Message): void {
    if (message.type !== 'requestVoteResponse' || !message.granted) return;
    const name = `${message.term} ${message.to}`;
    const votes = this.#votes.get(name) ?? new Set([message.to]);
    this.#votes.set(name, votes.add(message.from));
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
    if (role === 'leader') this.#lookAtLeader(id, term, core);
    if (this.#uncompared.size > 0) this.#compareLeaders(id, core);
  }

  /**
   * The newest configuration of a log is in effect, and none whose entry was replaced (thesis 4.1). To be asked when all
   * that a member has in memory is on its disk, too.
   */
  lookAtRest({ id, durable }: WatchedMember, core: Pick<WatchedCore, 'status'>): void {
    const newest = durable.newestConfiguration ?? (durable.baseIndex === 0 ? this.#founding : undefined);
    this.#compared.set(id, durable.sequence);
    const { configuration } = core.status();
    if (newest === undefined || isEmptyConfiguration(configuration) || told(newest) === told(configuration)) return;
    throw new Violation('membership', `${id} goes by ${told(configuration)}, and its log says ${told(newest)}`);
  }

  /** Something was written since it was looked at last. */
  hasChanged({ id, durable }: WatchedMember): boolean {
    return durable.sequence !== this.#compared.get(id);
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
      if (entry.configuration !== undefined) this.#onConfiguration(index, entry.configuration);
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

  #onConfiguration(index: LogIndex, configuration: Configuration): void {
    const before = this.#configuration.configuration;
    const fail = (why: string): never => {
      throw new Violation('membership', `entry ${index}: ${why}; it was ${told(before)}, then ${told(configuration)}`);
    };
    const members = membersOf(configuration);
    const again = members.find((member) => this.#removed.has(member));
    if (again !== undefined) fail(`${again} was removed before, and is a member again`);
    const isLeaving = isJoint(before);
    if (isLeaving && isJoint(configuration)) fail('a joint configuration follows another');
    const isSameHalf = isSameSet(
      isJoint(configuration) ? configuration.votersOutgoing : configuration.voters,
      before.voters,
    );
    if (!isSameHalf) fail('the voters change without a joint configuration');
    this.#configuration = { index, configuration };
    this.configurations++;
    for (const member of members) this.#everyone.add(member);
    if (isJoint(configuration)) return;
    for (const member of this.#everyone) if (!members.includes(member)) this.#removed.add(member);
  }

  #lookAtLeader(id: MemberId, term: Term, core: WatchedCore): void {
    const other = this.#leaders.get(term);
    if (other === id) return;
    if (other !== undefined) throw new Violation('election safety', `${other} and ${id} both lead in term ${term}`);
    const { configuration } = core.status();
    // Who is on its way out may have to see to it: thesis 4.2.2.
    if (!isVoter(configuration, id) && !isVoter(this.configuration, id)) {
      throw new Violation('membership', `${id} leads in term ${term} and does not vote: ${told(configuration)}`);
    }
    const votes = this.#votes.get(`${term} ${id}`) ?? new Set([id]);
    if (!isQuorum(configuration, (member) => votes.has(member))) {
      const what = `${id} leads in term ${term} with the votes of ${[...votes].join(' ')} in ${told(configuration)}`;
      throw new Violation('election safety', what);
    }
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
      if (own === undefined ? durable.holds(index, applied.term) : isSameEntry(own, applied)) return;
      throw new Violation('leader completeness', `${id} leads in term ${term} without the committed entry ${index}`);
    }
  }

  /**
   * By the configuration of the moment, which may be a later one than that of the entry. Whoever lost it with its disk did
   * have it.
   */
  #checkQuorum({ id }: WatchedMember, { index, term }: DurableEntry): void {
    const holders = new Set<MemberId>();
    for (const { id: holder, isDamaged, durable } of this.#members) {
      if (isDamaged || durable.holds(index, term)) holders.add(holder);
    }
    if (this.#decidingOn(index).some((one) => isQuorum(one, (member) => holders.has(member)))) return;
    const disks = [...holders].join(' ');
    throw new Violation('commit on a quorum', `${id} applies ${index}, which is on the disks ${disks} only`);
  }

  /** Any of them may be in effect where an entry at that index, the newest that is committed, is decided on. */
  #decidingOn(index: LogIndex): readonly Configuration[] {
    const { index: at, configuration } = this.#configuration;
    const later = this.#members.flatMap(({ durable }) =>
      durable.configurationEntriesBehind(at).map((one) => one.configuration),
    );
    // What begins a joint configuration takes both halves. Behind it the leader may have left it already.
    const left = isJoint(configuration) && index > at ? [leaveJoint(configuration)] : [];
    return [configuration, ...left, ...later];
  }
}

/** Not the core's own: whoever counts wrongly there must not be believed here. */
function isQuorum({ voters, votersOutgoing }: Configuration, has: (member: MemberId) => boolean): boolean {
  const halves = [voters, votersOutgoing].filter((half) => half.length > 0);
  return halves.every((half) => 2 * half.filter(has).length > half.length);
}

function isSameEntry(a: Pick<DurableEntry, 'term' | 'checksum'>, b: Pick<DurableEntry, 'term' | 'checksum'>): boolean {
  return a.term === b.term && a.checksum === b.checksum;
}

function isSameSet(a: readonly MemberId[], b: readonly MemberId[]): boolean {
  return a.length === b.length && a.every((member) => b.includes(member));
}

function told({ voters, votersOutgoing, learners }: Configuration): string {
  const outgoing = votersOutgoing.length === 0 ? '' : ` (from ${votersOutgoing.join(' ')})`;
  return `${voters.join(' ')}${outgoing}${learners.length === 0 ? '' : ` + ${learners.join(' ')}`}`;
}

function describe({ term, commitIndex, appliedIndex }: Seen): string {
  return `term ${term}, commit ${commitIndex}, applied ${appliedIndex}`;
}
