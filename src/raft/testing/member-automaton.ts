import { seededRandom } from '../../base/random.ts';
import { preCampaign } from '../campaign.ts';
import { CoreState } from '../core-state.ts';
import { propose } from '../propose.ts';
import { ReadyCycle } from '../ready-cycle.ts';
import { step } from '../step.ts';
import type { Entry, HardState, MemberId, Message, Term } from '../types.ts';
import { coreOptions, votersOf } from './core.ts';
import { MemoryLog } from './memory-log.ts';

/**
 * What can happen to a member: it hears a message, given as a text, or one of the others. Whatever follows from it, its
 * disk included, happens before anything else does.
 */
export type Input = { readonly hear: string } | 'campaign' | 'renew' | 'propose' | 'restart' | 'lose';

/** A state of one member: all that decides about what it does next. */
export interface MemberState {
  readonly id: number;
  readonly isLeader: boolean;
  readonly isSuspect: boolean;
  readonly term: Term;
  /** The log, `term:data` for each entry. */
  readonly log: readonly string[];
  readonly committed: number;
}

export interface Transition {
  readonly to: MemberState;
  /** What it says, each message as a text. */
  readonly says: readonly string[];
}

/** What a member remembers of a log that its disk has lost. */
export type Memory = (before: HardState) => HardState;

/**
 * One member as an automaton: the production core, whose every state and transition is worked out once, by repeating what
 * led there, and then looked up. So all interleavings of several members can be gone through.
 */
export class MemberAutomaton {
  readonly #id: MemberId;
  readonly #ids: readonly MemberId[];
  readonly #memory: Memory;
  readonly #states = new Map<string, MemberState>();
  readonly #histories: Input[][] = [];
  readonly #transitions: Map<string, Transition>[] = [];
  readonly start: MemberState;

  constructor(id: MemberId, ids: readonly MemberId[], memory: Memory) {
    this.#id = id;
    this.#ids = ids;
    this.#memory = memory;
    this.start = this.#state(this.#replay([]), []);
  }

  /** How many states have been seen. */
  get size(): number {
    return this.#states.size;
  }

  next(from: MemberState, input: Input): Transition {
    const name = typeof input === 'string' ? input : input.hear;
    const known = this.#transitions[from.id]?.get(name);
    if (known !== undefined) return known;
    const history = [...(this.#histories[from.id] ?? []), input];
    const member = this.#replay(history);
    const transition = { to: this.#state(member, history), says: member.says };
    this.#transitions[from.id]?.set(name, transition);
    return transition;
  }

  #replay(history: readonly Input[]): Member {
    const member = new Member(this.#id, this.#ids, this.#memory);
    for (const input of history) member.take(input);
    return member;
  }

  #state(member: Member, history: Input[]): MemberState {
    const key = member.fingerprint();
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const { core } = member;
    const state: MemberState = {
      id: this.#states.size,
      isLeader: core.role === 'leader',
      isSuspect: core.isSuspect,
      term: core.term,
      log: member.entries().map(({ term, data }) => `${term}:${Buffer.from(data).toString()}`),
      committed: core.log.committed,
    };
    this.#states.set(key, state);
    this.#histories[state.id] = history;
    this.#transitions[state.id] = new Map();
    return state;
  }
}

/** The term that all have been in before the search begins, so that there is a lower one to forget. */
const firstTerm = 1;

class Member {
  says: string[] = [];
  core: CoreState;
  readonly #id: MemberId;
  readonly #ids: readonly MemberId[];
  readonly #memory: Memory;
  #log: MemoryLog;
  #cycle: ReadyCycle;
  #unwritten: HardState | undefined;

  constructor(id: MemberId, ids: readonly MemberId[], memory: Memory) {
    this.#id = id;
    this.#ids = ids;
    this.#memory = memory;
    this.#log = new MemoryLog(votersOf(...ids));
    this.#log.write({ entries: [], hardState: { term: firstTerm, vote: undefined, commit: 0 } });
    [this.core, this.#cycle] = this.#open();
  }

  take(input: Input): void {
    this.says = [];
    if (typeof input === 'string') this.#happen(input);
    else step(this.core, parseMessage(input.hear));
    this.#work();
  }

  #happen(input: Exclude<Input, object>): void {
    switch (input) {
      case 'campaign':
        if (this.core.role === 'follower' && this.core.isPromotable) this.#campaign();
        break;
      case 'renew':
        if (this.core.role === 'leader') {
          this.core.becomeFollower(this.core.term, undefined);
          this.#campaign();
        }
        break;
      case 'propose':
        propose(this.core, [Buffer.from(`${this.core.log.lastIndex + 1}`)]);
        break;
      case 'restart':
        [this.core, this.#cycle] = this.#open();
        break;
      case 'lose': {
        const hardState = this.#memory(this.#log.hardState);
        this.#log = new MemoryLog(votersOf(...this.#ids));
        this.#log.write({ entries: [], hardState });
        [this.core, this.#cycle] = this.#open();
        break;
      }
    }
  }

  entries(): readonly Entry[] {
    return this.#log.entries(1, this.#log.lastIndex() + 1, Number.POSITIVE_INFINITY);
  }

  /** Everything that decides about the future; no clock ticks here, so nothing that counts ticks does. */
  fingerprint(): string {
    const { core } = this;
    const followers = [...(core.leadership?.followers.values() ?? [])].map((follower) => [
      follower.state,
      follower.matchIndex,
      follower.nextIndex,
      follower.inflights.count,
      follower.isPaused,
      follower.sentCommit,
    ]);
    const entries = this.entries().map(({ term, data }) => [term, Buffer.from(data).toString()]);
    const { role, leader, log } = core;
    const hardState = [this.#log.hardState, core.term, core.vote, core.suspectTerm];
    return JSON.stringify([role, leader, hardState, log.committed, entries, [...core.votes], followers]);
  }

  /** Pre-votes only spare elections that would fail: here they are always granted, and safety must not depend on it. */
  #campaign(): void {
    preCampaign(this.core);
    for (const from of this.#ids) {
      if (from === this.#id) continue;
      const term = this.core.term + 1;
      step(this.core, { type: 'preVoteResponse', from, to: this.#id, term, granted: true });
    }
  }

  #open(): [CoreState, ReadyCycle] {
    const { hardState } = this.#log;
    const options = coreOptions(this.#id, { commitNotice: 'prompt' });
    const core = new CoreState({ ...options, hardState, appliedIndex: 0 }, this.#log, seededRandom(1));
    this.#unwritten = undefined;
    return [core, new ReadyCycle(core)];
  }

  #work(): void {
    while (this.#cycle.hasReady()) {
      const ready = this.#cycle.take();
      this.#unwritten = ready.hardState ?? this.#unwritten;
      if (ready.mustPersist) {
        this.#log.write({ entries: ready.entries, hardState: this.#unwritten });
        this.#unwritten = undefined;
      }
      for (const message of [...ready.messages, ...ready.messagesAfterPersist]) this.#say(message);
      this.#cycle.advance(ready);
    }
  }

  #say(message: Message): void {
    if (message.type === 'preVote' || message.type === 'preVoteResponse') return;
    // It changes nothing but that a candidate gives up.
    if (message.type === 'requestVoteResponse' && !message.granted) return;
    // Voters that still hear a leader hold back only so as not to disturb it: safety must not depend on that either.
    const said = message.type === 'requestVote' ? { ...message, transfer: true } : message;
    this.says.push(formatMessage(said));
  }
}

function formatMessage(message: Message): string {
  if (message.type !== 'appendEntries') return JSON.stringify(message);
  const entries = message.entries.map((entry) => ({ ...entry, data: Buffer.from(entry.data).toString() }));
  return JSON.stringify({ ...message, entries });
}

function parseMessage(text: string): Message {
  return JSON.parse(text, (key, value: string) => (key === 'data' ? Buffer.from(value) : value)) as Message;
}
