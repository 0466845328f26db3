import { assert } from '../../base/assert.ts';
import { seededRandom } from '../../base/random.ts';
import { defaultRaftOptions } from '../options.ts';
import { RaftCore } from '../raft.ts';
import type { Configuration, Entry, FollowerView, MemberId, Message, RaftOptions, Ready, Term } from '../types.ts';
import { MemoryLog } from './memory-log.ts';

/** What a test may set; the rest is usual. */
export type CoreOptions = Partial<Omit<RaftOptions, 'id' | 'hardState' | 'appliedIndex'>>;

export function votersOf(...voters: readonly MemberId[]): Configuration {
  return { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
}

export function coreOptions(id: MemberId, options: CoreOptions = {}): RaftOptions {
  const hardState = { term: 0, vote: undefined, commit: 0 };
  return { ...defaultRaftOptions, ...options, id, hardState, appliedIndex: 0 };
}

export function entry(index: number, term: Term, text = `${index}@${term}`): Entry {
  return { index, term, type: 'command', data: Buffer.from(text) };
}

interface Past {
  readonly configuration?: Configuration;
  /** The terms of the entries from index 1. */
  readonly log?: readonly Term[];
  readonly term?: Term;
  readonly vote?: MemberId;
  readonly commit?: number;
  readonly suspectTerm?: Term;
}

/** Without its envelope: `from` is member 2, `to` is member 1, and the term is the core's. */
type Said<M> = M extends Message ? Omit<M, 'from' | 'to' | 'term'> & Partial<Pick<M, 'from' | 'term'>> : never;

/** Member 1 of 1, 2 and 3 alone: set a state, say one thing to it, and look at the whole `Ready`. */
export class LoneCore {
  readonly log: MemoryLog;
  readonly core: RaftCore;

  constructor(past: Past = {}, options: CoreOptions = {}) {
    const { configuration = votersOf('1', '2', '3'), log = [], commit = 0 } = past;
    const { vote, suspectTerm } = past;
    const sound = { term: past.term ?? log.at(-1) ?? 0, vote, commit };
    const hardState = suspectTerm === undefined ? sound : { ...sound, suspectTerm };
    this.log = new MemoryLog(configuration);
    this.log.write({ entries: log.map((term, i) => entry(i + 1, term)), hardState });
    this.core = new RaftCore(
      { ...coreOptions('1', options), hardState, appliedIndex: commit },
      this.log,
      seededRandom(7),
    );
  }

  hear(said: Said<Message>): void {
    // The union of messages without their envelopes is a union of messages again once they have one.
    this.core.step({ from: '2', to: '1', term: this.core.term, ...said } as Message);
  }

  /** Does all of one `Ready`. */
  work(): Ready {
    const ready = this.core.ready();
    this.log.write(ready);
    this.core.advance(ready);
    return ready;
  }

  /** Does all there is; returns every message that left. */
  rest(): readonly Message[] {
    const sent: Message[] = [];
    while (this.core.hasReady()) {
      const ready = this.work();
      sent.push(...ready.messages, ...ready.messagesAfterPersist);
    }
    return sent;
  }

  /** Wins an election with the vote of member 2. */
  lead(): this {
    this.core.campaign();
    this.rest();
    if (this.core.role === 'preCandidate') {
      this.hear({ type: 'preVoteResponse', term: this.core.term + 1, granted: true });
      this.rest();
    }
    this.hear({ type: 'requestVoteResponse', granted: true });
    assert(this.core.role === 'leader', `elected nobody: ${this.core.role}`);
    this.rest();
    return this;
  }

  propose(...texts: readonly string[]): void {
    const result = this.core.propose(texts.map((text) => Buffer.from(text)));
    assert(result.accepted, 'refused');
  }

  accept(matchIndex: number, from: MemberId = '2'): void {
    this.hear({ type: 'appendEntriesResponse', from, result: { accepted: true, matchIndex } });
  }

  follower(id: MemberId): FollowerView {
    const view = this.core.status().followers.find((one) => one.id === id);
    assert(view !== undefined, `no follower ${id}`);
    return view;
  }
}
