import type { Flavored } from '../base/flavored.ts';

/** An epoch with at most one leader; grows by elections. 0 before the first one. */
export type Term = Flavored<number, 'Term'>;

/** The place of an entry in the log, from 1. 0 stands before the first entry. */
export type LogIndex = Flavored<number, 'LogIndex'>;

/**
 * A member's identity, never reused: an unsigned 64-bit number in lower-case hexadecimal without leading zeros, as
 * etcdctl prints it. A string, because a JavaScript number would round it.
 */
export type MemberId = Flavored<string, 'MemberId'>;

/** `noop` opens a leader's term; `command` is for the state machine; `configuration` changes the members. */
export type EntryType = 'noop' | 'command' | 'configuration';

/** One entry of the replicated log. */
export interface Entry {
  readonly term: Term;
  readonly index: LogIndex;
  readonly type: EntryType;
  /** Opaque to Raft; empty for a `noop`. Owned by the entry and never changed. */
  readonly data: Uint8Array;
}

/** What a member must never forget (Raft paper, figure 2, "persistent state"), and its commit index, which it may. */
export interface HardState {
  readonly term: Term;
  /** The candidate that got this member's vote in `term`. */
  readonly vote: MemberId | undefined;
  /** Persisted with the next batch that is written anyway: losing it costs a replay, never safety. */
  readonly commit: LogIndex;
  /**
   * Present while this member is suspect: it has lost something that it promised, in this term or an earlier one. See
   * `suspect.ts`.
   */
  readonly suspectTerm?: Term;
}

/**
 * Who takes part. While `votersOutgoing` is not empty the configuration is joint (thesis 4.3): every decision needs a
 * majority of `voters` and a majority of `votersOutgoing`.
 */
export interface Configuration {
  readonly voters: readonly MemberId[];
  readonly votersOutgoing: readonly MemberId[];
  /** Receive the log and do not count. Never in `voters` or `votersOutgoing`. */
  readonly learners: readonly MemberId[];
  /** Voters of the outgoing half that become learners when the joint configuration is left. */
  readonly learnersNext: readonly MemberId[];
  /** The leader proposes to leave the joint configuration by itself. */
  readonly autoLeave: boolean;
}

/**
 * A configuration and the entry that brought it: it is in effect from the moment that entry is in the log, committed or
 * not (thesis 4.1), until the next one, or until the entry is replaced. 0: the configuration that the log began with.
 */
export interface ConfigurationEntry {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

/** Who is to take part in the end; see `RaftCore.proposeConfiguration`. */
export interface ConfigurationChange {
  readonly voters: readonly MemberId[];
  readonly learners: readonly MemberId[];
  /** For the state machine, which gets it when the entry is committed. Opaque to Raft. */
  readonly context: Uint8Array;
}

/** A state of the state machine in place of the log up to `index`, and the configuration in effect there. */
export interface Snapshot {
  readonly index: LogIndex;
  /** Of the entry at `index`. */
  readonly term: Term;
  readonly configuration: Configuration;
}

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** State that dies with the process. */
export interface SoftState {
  readonly role: Role;
  readonly leader: MemberId | undefined;
}

interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  /**
   * The sender's term. Two exceptions as in the thesis, 9.6: a `preVote` carries the term that the sender would
   * campaign in, and so does a granting `preVoteResponse`.
   */
  readonly term: Term;
}

export interface PreVote extends Envelope {
  readonly type: 'preVote';
  readonly lastLogIndex: LogIndex;
  readonly lastLogTerm: Term;
}

export interface PreVoteResponse extends Envelope {
  readonly type: 'preVoteResponse';
  readonly granted: boolean;
}

export interface RequestVote extends Envelope {
  readonly type: 'requestVote';
  readonly lastLogIndex: LogIndex;
  readonly lastLogTerm: Term;
  /** Set by a leadership transfer: voters that still hear the old leader answer too (thesis 4.2.3). */
  readonly transfer: boolean;
}

export interface RequestVoteResponse extends Envelope {
  readonly type: 'requestVoteResponse';
  readonly granted: boolean;
}

export interface AppendEntries extends Envelope {
  readonly type: 'appendEntries';
  readonly previousIndex: LogIndex;
  readonly previousTerm: Term;
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
}

export interface AppendEntriesResponse extends Envelope {
  readonly type: 'appendEntriesResponse';
  readonly result:
    | { readonly accepted: true; readonly matchIndex: LogIndex }
    | {
        readonly accepted: false;
        /** The `previousIndex` that did not fit. */
        readonly rejectedIndex: LogIndex;
        /**
         * The highest (index, term) of the follower's log that may agree with the leader's: not above
         * `rejectedIndex`, and of no later term than the rejected append's `previousTerm`.
         */
        readonly hintIndex: LogIndex;
        readonly hintTerm: Term;
        /** The follower has no configuration: no entries help it before it has a snapshot, which brings one. */
        readonly needsSnapshot: boolean;
      };
}

export interface Heartbeat extends Envelope {
  readonly type: 'heartbeat';
  /** Never above what the receiver has acknowledged in this term. */
  readonly commit: LogIndex;
  /** The term of the entry at `commit`: a receiver that does not hold that entry has lost what it acknowledged. */
  readonly commitTerm: Term;
  /** The newest read-index round that this heartbeat confirms; 0 for none. */
  readonly readRound: number;
}

export interface HeartbeatResponse extends Envelope {
  readonly type: 'heartbeatResponse';
  readonly readRound: number;
  /** See `HardState`; 0 if the sender is not suspect. */
  readonly suspectTerm: Term;
}

/** A follower asks the leader for a read index. */
export interface ReadIndex extends Envelope {
  readonly type: 'readIndex';
  readonly context: number;
}

export interface ReadIndexResponse extends Envelope {
  readonly type: 'readIndexResponse';
  readonly context: number;
  readonly index: LogIndex;
}

/** The leader tells the target of a transfer to campaign at once (thesis 3.10). */
export interface TimeoutNow extends Envelope {
  readonly type: 'timeoutNow';
}

/**
 * An offer, without data: the receiver needs everything up to `index` and gets it by a snapshot only, which it fetches
 * from the sender. Repeated with each heartbeat interval as long as that is so.
 */
export interface InstallSnapshot extends Envelope {
  readonly type: 'installSnapshot';
  readonly index: LogIndex;
}

/** Everything that one member says to another about one Raft group. */
export type Message =
  | PreVote
  | PreVoteResponse
  | RequestVote
  | RequestVoteResponse
  | AppendEntries
  | AppendEntriesResponse
  | Heartbeat
  | HeartbeatResponse
  | ReadIndex
  | ReadIndexResponse
  | TimeoutNow
  | InstallSnapshot;

/** The answer to `requestReadIndex(context)`: serve that read once the applied index has reached `index`. */
export interface ReadState {
  readonly context: number;
  readonly index: LogIndex;
}

/** The leader `from` says that this member gets everything up to `index` by a snapshot of its only: fetch one there. */
export interface SnapshotOffer {
  readonly from: MemberId;
  readonly term: Term;
  readonly index: LogIndex;
}

/**
 * Work that the core asks for; one at a time. The driver sends `messages` at once, writes `hardState` and `entries`
 * in one synced batch, sends `messagesAfterPersist`, applies `committedEntries`, releases `readStates`, and calls
 * `advance`. While a `Ready` is out the core takes further input, and shows its outcome in the next one.
 *
 *     ready() ─▶ messages ─▶ persist hardState + entries ─▶ messagesAfterPersist ─▶ apply ─▶ advance()
 *
 * With a `snapshot` the batch writes `hardState` and the log anew, and the state of the snapshot takes the place of the
 * state machine's before `advance`, which counts it as applied. Such a `Ready` has no entries of either kind.
 */
export interface Ready {
  /** Present if it changed since the last `Ready`. */
  readonly hardState: HardState | undefined;
  /** Present if it changed since the last `Ready`. */
  readonly softState: SoftState | undefined;
  /** To append; whatever the log holds from the first one's index on is replaced. */
  readonly entries: readonly Entry[];
  /** Takes the place of the whole log, which is empty then and goes on behind it. */
  readonly snapshot: Snapshot | undefined;
  /** Term, vote, entries or snapshot changed: nothing that depends on this `Ready` may leave before the disk has it. */
  readonly mustPersist: boolean;
  /** A leader's appends and heartbeats, and answers that promise nothing, in a term that is on disk already. */
  readonly messages: readonly Message[];
  /** Votes, acknowledgements, and whatever else a crash must not be able to take back. */
  readonly messagesAfterPersist: readonly Message[];
  /** Committed, durable here, and not yet applied; in order, without gap, bounded in bytes. */
  readonly committedEntries: readonly Entry[];
  readonly readStates: readonly ReadState[];
  /** The newest offer since the last `Ready`: begin to fetch, or go on. */
  readonly snapshotOffer: SnapshotOffer | undefined;
}

/**
 * Why a proposal was not taken. Nothing was appended. Of configurations only: `configuration_pending` while the last
 * one is not committed and applied, or joint, or this leader has not committed an entry of its own term yet;
 * `invalid_configuration` without a voter, with a member twice or with an id that is none, or if nothing would change.
 */
export type ProposalRefusal =
  | 'not_leader'
  | 'transferring'
  | 'uncommitted_limit'
  | 'configuration_pending'
  | 'invalid_configuration';

export type ProposalResult =
  | { readonly accepted: true; readonly term: Term; readonly firstIndex: LogIndex }
  | { readonly accepted: false; readonly reason: ProposalRefusal };

/**
 * The durable part of the log, as the core reads it. Synchronous: the newest entries come from memory, older ones by
 * a short read of LevelDB. Its beginning may be dropped between two `Ready`s at any time, as far as the state machine holds
 * it durably.
 */
export interface LogReader {
  /** The first index that is still present; 1 until the log is truncated, and last + 1 if it is empty. */
  firstIndex(): LogIndex;
  lastIndex(): LogIndex;
  /** Of an index from firstIndex - 1 to lastIndex; `undefined` outside. 0 for index 0. */
  term(index: LogIndex): Term | undefined;
  /**
   * Entries from `low` up to, not including, `high`: at least one if there is any, and then as many as fit into
   * `bytesMax` of data. Fewer than that when they have to come from disk, so that one call stays short.
   */
  entries(low: LogIndex, high: LogIndex, bytesMax: number): readonly Entry[];
  /**
   * The one in effect at firstIndex - 1, then one for each entry of type `configuration`, ascending. Read once, at the
   * start: the core keeps count of what changes.
   */
  configurations(): readonly ConfigurationEntry[];
}

/** What the leader knows of another member. */
export interface FollowerView {
  readonly id: MemberId;
  readonly role: 'voter' | 'learner';
  readonly state: 'probe' | 'replicate' | 'snapshot';
  readonly matchIndex: LogIndex;
  readonly nextIndex: LogIndex;
  readonly inflightMessages: number;
  /** It answered within the current check-quorum period. */
  readonly recentlyActive: boolean;
  /** It abstains from elections, as far as it has told. */
  readonly isSuspect: boolean;
}

/** A picture of the core for status pages and tests. */
export interface RaftStatus {
  readonly id: MemberId;
  readonly role: Role;
  readonly leader: MemberId | undefined;
  readonly term: Term;
  readonly vote: MemberId | undefined;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly lastIndex: LogIndex;
  /** The newest in the log, which is in effect whether it is committed or not. */
  readonly configuration: Configuration;
  /** Of it, and of every one that would be in effect again if what is not committed were replaced. */
  readonly members: readonly MemberId[];
  /** The same with its place, while it is joint, not committed, or not applied. */
  readonly pendingConfiguration: ConfigurationEntry | undefined;
  readonly uncommittedBytes: number;
  readonly transferTarget: MemberId | undefined;
  /** Present while this member abstains from elections; see `HardState`. */
  readonly suspectTerm: Term | undefined;
  /** Empty unless this member leads. */
  readonly followers: readonly FollowerView[];
}

/** See `defaultRaftOptions` for what is usual. Ticks are counted in calls of `tick()`. */
export interface RaftOptions {
  readonly id: MemberId;
  readonly hardState: HardState;
  /** The state machine holds everything up to here; nothing up to here is shown again. */
  readonly appliedIndex: LogIndex;
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** Data bytes in one append message; an entry that is larger travels alone. */
  readonly messageBytesMax: number;
  /** Append messages on their way to one follower without an answer. */
  readonly inflightMessagesMax: number;
  /** Data bytes on their way to one follower without an answer. */
  readonly inflightBytesMax: number;
  /** Data bytes of entries appended by this leader and not committed; above it proposals are refused. */
  readonly uncommittedBytesMax: number;
  /** Data bytes of committed entries in one `Ready`. */
  readonly committedBytesMax: number;
  /**
   * `quorum` asks a majority for each round of reads. `lease` answers from the leader's own clock as long as a quorum
   * answered within electionTicks - leaseDriftTicks: correct only while no member's clock runs faster than the
   * leader's by more than that share, and every member is set to it: each keeps its promise of silence to the leader
   * over a change of term and over a restart. Off by default, because it trusts clocks.
   */
  readonly readMode: 'quorum' | 'lease';
  /** See `readMode`. */
  readonly leaseDriftTicks: number;
  /**
   * How followers learn that something was committed when no entries follow. `prompt`: by an append of its own, at once.
   * `asked`: when `tellCommit()` is called, so that the driver can let a burst of commits share one.
   */
  readonly commitNotice: 'prompt' | 'asked';
}
