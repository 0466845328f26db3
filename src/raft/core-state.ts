import { assert } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import { checkConfiguration, isVoter, membersOf } from './configuration.ts';
import { LogView } from './log-view.ts';
import { Outbox } from './outbox.ts';
import { FollowerProgress } from './progress.ts';
import { ReadRounds } from './read-rounds.ts';
import type { Configuration, LogReader, MemberId, Message, RaftOptions, ReadState, Role, Term } from './types.ts';

/** A transfer of leadership that is under way; it belongs to this leadership and ends with it. */
interface Transfer {
  readonly target: MemberId;
  elapsedTicks: number;
}

/**
 * Everything that the rules read and change. Role, term and leader change only through `become…`, so that what belongs
 * to a role never outlives it.
 */
export class CoreState {
  readonly options: RaftOptions;
  readonly random: Random;
  readonly log: LogView;
  readonly outbox = new Outbox();
  readonly configuration: Configuration;
  readonly id: MemberId;

  term: Term;
  vote: MemberId | undefined;
  role: Role = 'follower';
  leader: MemberId | undefined;

  /** Ticks since the leader was heard (follower), the campaign began (candidate), the quorum was counted (leader). */
  electionElapsedTicks = 0;
  heartbeatElapsedTicks = 0;
  /** In [electionTicks, 2 × electionTicks), drawn again with every change of role. */
  electionTimeoutTicks = 0;

  /** Answers to the present campaign, by member, so that nobody counts twice. */
  votes = new Map<MemberId, boolean>();

  /** The others, as this leader sees them; empty in the other roles. */
  followers = new Map<MemberId, FollowerProgress>();
  /** Something may have to be sent to followers; looked at when a `Ready` is taken, once for all that came before. */
  isReplicationDue = false;
  /** Followers are told of commits with the next `Ready`, even if no entries go there. */
  isCommitNoticeDue = false;
  uncommittedBytes = 0;
  transfer: Transfer | undefined;
  reads = new ReadRounds();
  /** Reads wait for a round; it starts when a `Ready` is taken. */
  isReadRoundDue = false;
  /** Ticks of this leadership, and the start of the newest round that a quorum confirmed: the leader's lease. */
  leadingTicks = 0;
  confirmedTick = Number.NEGATIVE_INFINITY;

  /** Released reads of this member, for the next `Ready`. */
  readStates: ReadState[] = [];

  constructor(options: RaftOptions, log: LogReader, random: Random) {
    checkConfiguration(options.configuration);
    assert(
      options.electionTicks > options.heartbeatTicks,
      'an election timeout must be longer than a heartbeat interval',
    );
    this.options = options;
    this.random = random;
    this.id = options.id;
    this.configuration = options.configuration;
    this.log = new LogView(log, { committed: options.hardState.commit, applied: options.appliedIndex });
    this.term = options.hardState.term;
    this.vote = options.hardState.vote;
    this.#drawElectionTimeout();
  }

  becomeFollower(term: Term, leader: MemberId | undefined): void {
    this.#enter('follower', term);
    this.leader = leader;
  }

  /** Hears from the leader of the present term: whoever campaigned in it has lost. */
  becomeFollowerOf(leader: MemberId): void {
    if (this.role !== 'follower') this.becomeFollower(this.term, leader);
    this.leader = leader;
    this.electionElapsedTicks = 0;
  }

  /** Asks whether an election could be won before it disturbs anybody: term and vote stay (thesis 9.6). */
  becomePreCandidate(): void {
    assert(this.role !== 'leader', 'a leader does not campaign');
    this.#enter('preCandidate', this.term);
  }

  becomeCandidate(): void {
    assert(this.role !== 'leader', 'a leader does not campaign');
    this.#enter('candidate', this.term + 1);
    this.vote = this.id;
  }

  becomeLeader(): void {
    assert(this.role === 'candidate', 'only a candidate can win');
    this.#enter('leader', this.term);
    this.leader = this.id;
    const window = { messagesMax: this.options.inflightMessagesMax, bytesMax: this.options.inflightBytesMax };
    const nextIndex = this.log.lastIndex + 1;
    for (const member of membersOf(this.configuration)) {
      if (member === this.id) continue;
      const follower = new FollowerProgress(member, nextIndex, window);
      // Whoever is silent has one whole period to be heard before it counts as lost.
      follower.recentlyActive = true;
      this.followers.set(member, follower);
    }
  }

  /** Learners, and members that are not in the configuration, never campaign. */
  get isPromotable(): boolean {
    return isVoter(this.configuration, this.id);
  }

  get isSingleVoter(): boolean {
    const { voters, votersOutgoing } = this.configuration;
    return voters.length === 1 && voters[0] === this.id && votersOutgoing.length === 0;
  }

  /** A leader's log holds entries of older terms whose fate is open until one of its own is committed. */
  get hasCommittedInTerm(): boolean {
    return this.log.term(this.log.committed) === this.term;
  }

  /** It heard from a leader within the minimum election timeout: somebody else's campaign is not wanted (thesis 4.2.3). */
  get hearsLeader(): boolean {
    return this.leader !== undefined && this.electionElapsedTicks < this.options.electionTicks;
  }

  send(message: Message): void {
    assert(message.to !== this.id, () => `${message.type} to oneself`);
    this.outbox.add(message);
  }

  #enter(role: Role, term: Term): void {
    assert(term >= this.term, () => `the term would go back from ${this.term} to ${term}`);
    if (term > this.term) this.vote = undefined;
    this.term = term;
    this.role = role;
    this.leader = undefined;
    this.electionElapsedTicks = 0;
    this.heartbeatElapsedTicks = 0;
    this.#drawElectionTimeout();
    this.votes = new Map();
    this.followers = new Map();
    this.isReplicationDue = false;
    this.isCommitNoticeDue = false;
    this.uncommittedBytes = 0;
    this.transfer = undefined;
    this.reads = new ReadRounds();
    this.isReadRoundDue = false;
    this.leadingTicks = 0;
    this.confirmedTick = Number.NEGATIVE_INFINITY;
  }

  #drawElectionTimeout(): void {
    const { electionTicks } = this.options;
    this.electionTimeoutTicks = electionTicks + this.random.below(electionTicks);
  }
}
