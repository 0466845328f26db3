import type { MemberId, Term } from '../types.ts';
import { type Input, MemberAutomaton, type MemberState, type Memory } from './member-automaton.ts';

/** How often things may happen in one history. Messages may arrive in any order, any number of times, or never. */
export interface Bounds {
  /** Things that happen after the beginning, arrivals included. */
  readonly steps: number;
  readonly campaigns: number;
  readonly proposals: number;
  readonly restarts: number;
  /** A member loses its log. */
  readonly losses: number;
  /** Where the search is given up, unfinished. */
  readonly statesMax: number;
}

export interface SearchResult {
  readonly states: number;
  /** States of single members, all together. */
  readonly memberStates: number;
  /** Everything within the bounds was seen. */
  readonly isComplete: boolean;
  readonly violation: string | undefined;
  /** What led to it. */
  readonly path: readonly string[];
}

/** An entry that some member knew to be committed, and the lowest term of a member that did. */
interface Committed {
  readonly entry: string;
  readonly inTerm: Term;
}

/** Each set exists once, so that it can be compared and named by its number. */
interface MessageSet {
  readonly id: number;
  readonly numbers: readonly number[];
}

interface World {
  readonly members: readonly MemberState[];
  /** Everything that was ever said: it may still arrive. Sorted numbers of messages. */
  readonly said: MessageSet;
  readonly committed: readonly Committed[];
  readonly left: Readonly<Record<'campaigns' | 'proposals' | 'restarts' | 'losses', number>>;
  readonly before: World | undefined;
  readonly by: string;
}

/**
 * Goes breadth-first through everything that can happen to three members, beginning with a leader whose first entry has
 * been sent to all. After each step: one leader a term, one content of what is committed, and every leader has what was
 * committed in the terms before its own (Raft paper, figure 3).
 */
export function searchExhaustively(bounds: Bounds, memory: Memory): SearchResult {
  return new Search(bounds, memory).run();
}

const ids: readonly MemberId[] = ['1', '2', '3'];

class Search {
  readonly #bounds: Bounds;
  readonly #automata: readonly MemberAutomaton[];
  readonly #messages: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #receivers: number[] = [];
  readonly #leads: ({ readonly member: string; readonly term: Term } | undefined)[] = [];
  readonly #sets = new Map<string, MessageSet>();
  readonly #unions = new Map<string, MessageSet>();
  readonly #seen = new Set<string>();

  constructor(bounds: Bounds, memory: Memory) {
    this.#bounds = bounds;
    this.#automata = ids.map((id) => new MemberAutomaton(id, ids, memory));
  }

  run(): SearchResult {
    let level: World[] = [this.#beginning()];
    for (const world of level) this.#seen.add(keyOf(world));
    for (let steps = 0; steps < this.#bounds.steps && level.length > 0; steps++) {
      const next: World[] = [];
      for (const world of level) {
        for (const after of this.#steps(world)) {
          const key = keyOf(after);
          if (this.#seen.has(key)) continue;
          this.#seen.add(key);
          const violation = this.#violationIn(after);
          if (violation !== undefined) return this.#result(true, violation, after);
          if (this.#seen.size >= this.#bounds.statesMax) return this.#result(false, undefined, after);
          next.push(after);
        }
      }
      level = next;
    }
    return this.#result(true, undefined, undefined);
  }

  /** Member 1 was elected and has sent its first entry; nobody else has heard of it. */
  #beginning(): World {
    const { campaigns, proposals, restarts, losses } = this.#bounds;
    let world: World = {
      members: this.#automata.map(({ start }) => start),
      said: this.#setOf([]),
      committed: [],
      left: { campaigns, proposals, restarts, losses },
      before: undefined,
      by: 'the beginning',
    };
    world = this.#after(world, 0, 'campaign', 'member 1 campaigns') ?? world;
    for (const type of ['requestVote', 'requestVoteResponse', 'appendEntries', 'appendEntriesResponse'] as const) {
      for (const number of world.said.numbers) {
        if (!(this.#messages[number] ?? '').includes(`"type":"${type}"`)) continue;
        world = this.#deliver(world, number) ?? world;
      }
    }
    return { ...world, before: undefined };
  }

  #steps(world: World): readonly World[] {
    const worlds: (World | undefined)[] = world.said.numbers.map((number) => this.#deliver(world, number));
    const { left } = world;
    for (const [i, { isLeader }] of world.members.entries()) {
      const name = `member ${ids[i]}`;
      if (left.campaigns > 0) {
        worlds.push(this.#spend(world, 'campaigns', i, isLeader ? 'renew' : 'campaign', `${name} campaigns`));
      }
      if (left.proposals > 0 && isLeader)
        worlds.push(this.#spend(world, 'proposals', i, 'propose', `${name} proposes`));
      if (left.restarts > 0) worlds.push(this.#spend(world, 'restarts', i, 'restart', `${name} is started again`));
      if (left.losses > 0) worlds.push(this.#spend(world, 'losses', i, 'lose', `${name} loses its log`));
    }
    return worlds.filter((one) => one !== undefined);
  }

  #deliver(world: World, number: number): World | undefined {
    const message = this.#messages[number] ?? '';
    return this.#after(world, this.#receivers[number] ?? 0, { hear: message }, message);
  }

  #spend(world: World, what: keyof World['left'], member: number, input: Input, by: string): World | undefined {
    const after = this.#after(world, member, input, by);
    return after && { ...after, left: { ...world.left, [what]: world.left[what] - 1 } };
  }

  /** `undefined` if that changes nothing. */
  #after(world: World, member: number, input: Input, by: string): World | undefined {
    const automaton = this.#automata[member];
    const from = world.members[member];
    if (automaton === undefined || from === undefined) throw new Error(`there is no member ${member}`);
    const { to, says } = automaton.next(from, input);
    const said = this.#union(world.said, says);
    if (to === from && said === world.said) return undefined;
    const members = world.members.map((state, i) => (i === member ? to : state));
    return { members, said, committed: mergeCommitted(world.committed, to), left: world.left, before: world, by };
  }

  #union(said: MessageSet, says: readonly string[]): MessageSet {
    if (says.length === 0) return said;
    const numbers = says.map((message) => this.#numberOf(message));
    const name = `${said.id} ${numbers.join()}`;
    const known = this.#unions.get(name);
    if (known !== undefined) return known;
    const union = this.#setOf([...new Set([...said.numbers, ...numbers])].sort((a, b) => a - b));
    this.#unions.set(name, union);
    return union;
  }

  #setOf(numbers: readonly number[]): MessageSet {
    const name = numbers.join();
    const known = this.#sets.get(name);
    if (known !== undefined) return known;
    const set = { id: this.#sets.size, numbers };
    this.#sets.set(name, set);
    return set;
  }

  #numberOf(message: string): number {
    const known = this.#numbers.get(message);
    if (known !== undefined) return known;
    const number = this.#messages.length;
    const { type, from, to, term } = JSON.parse(message) as { type: string; from: string; to: string; term: Term };
    this.#messages.push(message);
    this.#numbers.set(message, number);
    this.#receivers.push(ids.indexOf(to));
    this.#leads.push(type === 'appendEntries' ? { member: from, term } : undefined);
    return number;
  }

  #violationIn({ members, said, committed }: World): string | undefined {
    const leaders = new Map<Term, string>();
    for (const number of said.numbers) {
      const lead = this.#leads[number];
      if (lead === undefined) continue;
      const other = leaders.get(lead.term) ?? lead.member;
      if (other !== lead.member) return `${other} and ${lead.member} both lead in term ${lead.term}`;
      leaders.set(lead.term, lead.member);
    }
    for (const [i, { log, committed: count, isLeader, term }] of members.entries()) {
      for (let index = 0; index < Math.min(count, committed.length); index++) {
        if (log[index] === committed[index]?.entry) continue;
        return `member ${ids[i]} committed ${log[index]} as entry ${index + 1}, where ${committed[index]?.entry} was committed`;
      }
      if (!isLeader) continue;
      const lacks = committed.findIndex(({ entry, inTerm }, index) => inTerm <= term && log[index] !== entry);
      if (lacks !== -1) return `member ${ids[i]} leads in term ${term} without the committed entry ${lacks + 1}`;
    }
    return undefined;
  }

  #result(isComplete: boolean, violation: string | undefined, last: World | undefined): SearchResult {
    const path: string[] = [];
    for (let world = last; violation !== undefined && world !== undefined; world = world.before) path.unshift(world.by);
    const memberStates = this.#automata.reduce((sum, { size }) => sum + size, 0);
    return { states: this.#seen.size, memberStates, isComplete, violation, path };
  }
}

/** Of an entry that is known already the lowest term counts; the contents are compared elsewhere. */
function mergeCommitted(known: readonly Committed[], { log, committed, term }: MemberState): readonly Committed[] {
  const isNews = committed > known.length || known.slice(0, committed).some(({ inTerm }) => term < inTerm);
  if (!isNews) return known;
  const longest = Math.max(known.length, committed);
  return Array.from({ length: longest }, (_, index) => {
    const { entry = log[index] ?? '', inTerm = term } = known[index] ?? {};
    return { entry, inTerm: index < committed ? Math.min(inTerm, term) : inTerm };
  });
}

function keyOf({ members, said, committed, left }: World): string {
  const states = members.map(({ id }) => id).join(',');
  const spent = `${left.campaigns}${left.proposals}${left.restarts}${left.losses}`;
  return `${states};${said.id};${committed.map(({ entry, inTerm }) => `${entry}@${inTerm}`).join(',')};${spent}`;
}
