import { assert } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import { checkConfiguration, isEmptyConfiguration, isJoint } from './configuration.ts';
import { LogView } from './log-view.ts';
import { checkOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import { FollowerProgress } from './progress.ts';
import { ReadRounds } from './read-rounds.ts';
import type {
  Configuration,
  HardState,
  LogIndex,
  LogReader,
  MemberId,
  Message,
  RaftOptions,
  ReadState,
  Role,
  SnapshotOffer,
  SoftState,
  Term,
} from './types.ts';
import { UncommittedBytes } from './uncommitted-bytes.ts';

/** A transfer of leadership that is under way; it belongs to this leadership and ends with it. */
interface Transfer {
  readonly target: MemberId;
  elapsedTicks: number;
}

/** What a leader keeps about its leadership; made when it wins, gone when it steps down. */
export interface Leadership {
  /** The first entry of its term: from here on counting replicas commits (Raft paper 5.4.2). */
  readonly noopIndex: LogIndex;
  /**
   * The others, as this leader sees them: everybody in the configuration, and whoever it has dropped until that is
   * committed, so that they hear of it.
   */
  readonly followers: Map<MemberId, FollowerProgress>;
  readonly uncommitted: UncommittedBytes;
  readonly reads: ReadRounds;
  /** Ticks of this leadership. */
  ticks: number;
  heartbeatElapsedTicks: number;
  isHeartbeatDue: boolean;
  /** Followers are told of commits with the next `Ready`, even if no entries go there. */
  isCommitNoticeDue: boolean;
  transfer: Transfer | undefined;
  /** When the newest round of heartbeats began that a quorum answered: from here the lease counts. */
  confirmedTick: number;
  /**
   * Somebody was told to campaign at once. That order may arrive late, after the transfer was given up, and voters obey
   * it whatever they hear from this leader: its lease is over for good.
   */
  isLeaseForfeited: boolean;
}

/**
 * Everything that the rules read and change. Role, term and leader change only through `become…`, so that what belongs
 * to a role never outlives it.
 */
export class CoreState {
  readonly options: RaftOptions;
  readonly id: MemberId;
  readonly log: LogView;
  readonly outbox = new Outbox();
  readonly #random: Random;

  #term: Term;
  #role: Role = 'follower';
  #leader: MemberId | undefined;
  #leadership: Leadership | undefined;
  /** The candidate that got this member's vote in this term. */
  vote: MemberId | undefined;
  /** See `HardState`. */
  suspectTerm: Term | undefined;

  /** Ticks since the leader was heard or a vote was given (follower), or since the campaign began. */
  electionElapsedTicks = 0;
  /** In [electionTicks, 2 × electionTicks), drawn again with every change of role. */
  electionTimeoutTicks = 0;
  /** Ticks since a leader was heard, whatever role and term came since. */
  leaderSilentTicks: number;

  /** Answers to the present campaign, by member, so that nobody counts twice. */
  votes = new Map<MemberId, boolean>();
  /** Contexts that this follower asked its present leader about. */
  readonly askedReads = new Set<number>();
  /** Released reads of this member, for the next `Ready`. */
  readStates: ReadState[] = [];
  /** Of the present leader, for the next `Ready`. */
  snapshotOffer: SnapshotOffer | undefined;

  constructor(options: RaftOptions, log: LogReader, random: Random) {
    checkOptions(options);
    const { id, hardState, appliedIndex, readMode, electionTicks } = options;
    this.options = options;
    this.id = id;
    this.#random = random;
    this.log = new LogView(log, { committed: hardState.commit, applied: appliedIndex });
    if (!isEmptyConfiguration(this.configuration)) checkConfiguration(this.configuration);
    this.#term = hardState.term;
    this.vote = hardState.vote;
    this.suspectTerm = hardState.suspectTerm;
    // A member that has forgotten over a restart how lately it heard its leader must not help to break the lease.
    this.leaderSilentTicks = readMode === 'lease' && hardState.term > 0 ? 0 : electionTicks;
    this.#drawElectionTimeout();
  }

  get term(): Term {
    return this.#term;
  }

  get role(): Role {
    return this.#role;
  }

  get leader(): MemberId | undefined {
    return this.#leader;
  }

  /** Present if and only if this member leads. */
  get leadership(): Leadership | undefined {
    return this.#leadership;
  }

  /** The newest in the log, committed or not: in effect from its append on (thesis 4.1). */
  get configuration(): Configuration {
    return this.log.configurations.newest.configuration;
  }

  get isSuspect(): boolean {
    return this.suspectTerm !== undefined;
  }

  /**
   * Learners, suspects, and members that have left or exchange their state, never campaign. A voter that has left may be
   * the only one that can bring the others the entry that says so: it campaigns until it knows that this is committed, and
   * its own vote does not count (thesis 4.2.2, figure 4.6).
   */
  get isPromotable(): boolean {
    return this.log.configurations.hasVoter(this.id) && !this.isSuspect && !this.log.hasSnapshot;
  }

  /**
   * It leads, or heard from a leader within the minimum election timeout: somebody else's campaign is not wanted (thesis
   * 4.2.3). A campaign of its own, or a higher term, makes it forget that leader. Not so if reads rely on leases: the
   * old leader may go on serving them until the time is over, whatever has happened here.
   */
  get hearsLeader(): boolean {
    if (this.#role === 'leader') return true;
    if (this.#leader === undefined && this.options.readMode !== 'lease') return false;
    return this.leaderSilentTicks < this.options.electionTicks;
  }

  /**
   * Where reads rely on leases, its promise of silence to the leader binds this member also if somebody orders it to
   * campaign. A member that is the only voter has nobody to promise to.
   */
  get mustHonourLease(): boolean {
    const isAlone = this.configuration.voters.length === 1 && !isJoint(this.configuration);
    return this.options.readMode === 'lease' && !isAlone && this.hearsLeader;
  }

  hardState(): HardState {
    const { suspectTerm } = this;
    const hardState = { term: this.#term, vote: this.vote, commit: this.log.committed };
    return suspectTerm === undefined ? hardState : { ...hardState, suspectTerm };
  }

  softState(): SoftState {
    return { role: this.#role, leader: this.#leader };
  }

  becomeFollower(term: Term, leader: MemberId | undefined): void {
    this.#enter('follower', term);
    this.#leader = leader;
  }

  /**
   * Hears from the leader of the present term: whoever campaigned in it has lost. False if this term has another
   * leader, which cannot be; such a message is not to be obeyed.
   */
  followLeader(leader: MemberId): boolean {
    if (this.#role === 'leader' || (this.#leader ?? leader) !== leader) return false;
    if (this.#leader === undefined) this.becomeFollower(this.#term, leader);
    this.electionElapsedTicks = 0;
    this.leaderSilentTicks = 0;
    return true;
  }

  /** Asks whether an election could be won before it disturbs anybody: term and vote stay (thesis 9.6). */
  becomePreCandidate(): void {
    assert(this.#role !== 'leader', 'a leader does not campaign');
    this.#enter('preCandidate', this.#term);
  }

  becomeCandidate(): void {
    assert(this.#role !== 'leader', 'a leader does not campaign');
    this.#enter('candidate', this.#term + 1);
    this.vote = this.id;
  }

  becomeLeader(): void {
    assert(this.#role === 'candidate', 'only a candidate can win');
    this.#enter('leader', this.#term);
    this.#leader = this.id;
    this.#leadership = this.#newLeadership();
  }

  send(message: Message): void {
    assert(message.to !== this.id, () => `${message.type} to oneself`);
    this.outbox.add(message);
  }

  /** Probed first at the end of the log. */
  newFollower(member: MemberId): FollowerProgress {
    const { inflightMessagesMax: messagesMax, inflightBytesMax: bytesMax } = this.options;
    return new FollowerProgress(member, this.log.lastIndex + 1, { messagesMax, bytesMax });
  }

  #newLeadership(): Leadership {
    const others = this.log.configurations.members.filter((member) => member !== this.id);
    return {
      noopIndex: this.log.lastIndex + 1,
      followers: new Map(others.map((member) => [member, this.newFollower(member)])),
      uncommitted: new UncommittedBytes(),
      reads: new ReadRounds(),
      ticks: 0,
      heartbeatElapsedTicks: 0,
      isHeartbeatDue: false,
      isCommitNoticeDue: false,
      transfer: undefined,
      confirmedTick: Number.NEGATIVE_INFINITY,
      isLeaseForfeited: false,
    };
  }

  #enter(role: Role, term: Term): void {
    assert(term >= this.#term, () => `the term would go back from ${this.#term} to ${term}`);
    if (term > this.#term) this.vote = undefined;
    this.#term = term;
    this.#role = role;
    this.#leader = undefined;
    this.#leadership = undefined;
    this.electionElapsedTicks = 0;
    this.votes = new Map();
    this.askedReads.clear();
    this.snapshotOffer = undefined;
    this.#drawElectionTimeout();
  }

  /**
   * One to two election timeouts, or, for a candidate whose votes may turn out to be split, a half to one: it need not wait
   * for a leader to be heard, because a quorum has just said in pre-votes that there is none.
   */
  #drawElectionTimeout(): void {
    const { electionTicks } = this.options;
    if (this.#role !== 'candidate') {
      this.electionTimeoutTicks = electionTicks + this.#random.below(electionTicks);
      return;
    }
    const least = Math.ceil(electionTicks / 2);
    this.electionTimeoutTicks = least + this.#random.below(Math.max(1, electionTicks - least));
  }
}
