import { Inflights } from './inflights.ts';
import type { LogIndex, MemberId, Term } from './types.ts';

/** What was put into one append. */
interface SentAppend {
  /** The entries' count, and the bytes of their data. */
  readonly count: number;
  readonly bytes: number;
  readonly commit: LogIndex;
  /** More was wanted but has to come from disk (`LogSlice.isShort`). */
  readonly isShort: boolean;
}

/**
 * What a leader knows of another member's log, and how it sends (as etcd-io/raft `tracker/progress.go`).
 *
 *                       an append was accepted
 *        ┌──────────┐ ──────────────────────────▶ ┌───────────┐
 *     ──▶│  probe   │                             │ replicate │
 *        └──────────┘ ◀────────────────────────── └───────────┘
 *          │            rejected, or unreachable        │  ▲
 *          ▼                                            ▼  │ it has what the log begins behind
 *        ┌───────────────────────────────────────────────────┐
 *        │                     snapshot                      │
 *        └───────────────────────────────────────────────────┘
 *           the log does not reach back that far, or it has no configuration
 *
 * - `probe`: where the logs agree is not known; one append at a time, then silence until an answer or a heartbeat's.
 * - `replicate`: appends follow each other without waiting, until the window of inflights is full.
 * - `snapshot`: appends cannot help; it is offered a snapshot, again and again, and fetches it.
 *
 * **Invariant:** matchIndex < nextIndex.
 */
export class FollowerProgress {
  readonly id: MemberId;
  readonly inflights: Inflights;
  /** Ticks of the leadership when it last answered. */
  answeredTick = Number.NEGATIVE_INFINITY;
  /** What it said of itself last; 0: it may vote. */
  suspectTerm: Term = 0;
  #state: 'probe' | 'replicate' | 'snapshot' = 'probe';
  #matchIndex: LogIndex = 0;
  #nextIndex: LogIndex;
  /** The highest commit index that was sent. */
  #sentCommit: LogIndex = 0;
  /** Nothing more until an answer: a probe is out, or the rest has to come from disk. */
  #isPaused = false;
  /** It is there and seems to lack something: the next append goes even if it is empty, to hear what it has. */
  #isAnswerDue = false;
  /** In `snapshot`: it needs a snapshot whatever the log holds. */
  #lacksConfiguration = false;
  #offerIndex: LogIndex = 0;
  #isOfferDue = false;

  constructor(id: MemberId, nextIndex: LogIndex, window: { readonly messagesMax: number; readonly bytesMax: number }) {
    this.id = id;
    this.#nextIndex = nextIndex;
    this.inflights = new Inflights(window.messagesMax, window.bytesMax);
  }

  get state(): 'probe' | 'replicate' | 'snapshot' {
    return this.#state;
  }

  /** The highest index that the follower is known to share with this leader's log. */
  get matchIndex(): LogIndex {
    return this.#matchIndex;
  }

  /** The next entry to send. */
  get nextIndex(): LogIndex {
    return this.#nextIndex;
  }

  /** The highest commit index that it was sent, as far as it has the entries. */
  get sentCommit(): LogIndex {
    return this.#sentCommit;
  }

  /** Nothing is sent until it answers. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** There are entries to send, or a question, and they may be sent. */
  wantsAppend(lastIndex: LogIndex): boolean {
    if (this.#state === 'snapshot') return false;
    if (this.#isAnswerDue) return true;
    if (this.#isPaused || this.inflights.isFull) return false;
    return this.#state === 'probe' ? this.#matchIndex < lastIndex : this.#nextIndex <= lastIndex;
  }

  /** It may have entries of which it does not know that they are committed, and it may be told. */
  wantsCommit(committed: LogIndex): boolean {
    if (this.#state !== 'replicate' || this.#isPaused || this.inflights.isFull) return false;
    return this.#sentCommit < Math.min(committed, this.#nextIndex - 1);
  }

  sent({ count, bytes, commit, isShort }: SentAppend): void {
    this.#isAnswerDue = false;
    this.noteSentCommit(Math.min(commit, this.#nextIndex - 1 + count));
    if (this.#state === 'probe') {
      this.#isPaused = true;
      return;
    }
    if (count === 0) return;
    this.#nextIndex += count;
    this.inflights.add(this.#nextIndex - 1, bytes);
    this.#isPaused = isShort;
  }

  noteSentCommit(commit: LogIndex): void {
    this.#sentCommit = Math.max(this.#sentCommit, commit);
  }

  /**
   * The follower has everything up to `index`; the log begins at `firstIndex`. True if that was not known. An index
   * below the match index is an answer that comes late.
   */
  accepted(index: LogIndex, firstIndex: LogIndex): boolean {
    if (index < this.#matchIndex) return false;
    const isNews = index > this.#matchIndex;
    this.#matchIndex = index;
    this.#nextIndex = Math.max(this.#nextIndex, index + 1);
    if (this.#state === 'replicate') {
      this.inflights.freeTo(index);
      this.#isPaused = false;
    } else if (this.#state === 'probe' || index + 1 >= firstIndex) {
      this.#enter('replicate', index + 1);
    }
    return isNews;
  }

  /**
   * The follower rejected an append behind `rejectedIndex`; `agreeIndex` is the last place where the logs may agree.
   * Normally that lies above the match index. If it does not, the follower has lost what it had acknowledged: then it
   * is not counted for it any longer, and gets it again (etcd-io/etcd#15699). A late answer can look like that too, and
   * costs no more than a round trip.
   */
  rejected(rejectedIndex: LogIndex, agreeIndex: LogIndex): void {
    if (rejectedIndex === 0 || !this.#mayBeRejected(rejectedIndex)) return;
    const agree = Math.min(agreeIndex, rejectedIndex - 1);
    this.#matchIndex = Math.min(this.#matchIndex, agree);
    if (this.#state === 'snapshot') return;
    this.#enter('probe', agree + 1);
  }

  /** The follower rejected an append behind `rejectedIndex`, and any other, because it has no configuration. */
  rejectedAll(rejectedIndex: LogIndex): void {
    if (this.#state === 'snapshot' || !this.#mayBeRejected(rejectedIndex)) return;
    // Once it has a snapshot, a late answer is about no more than it is known to have.
    if (this.#state === 'replicate' && rejectedIndex <= this.#matchIndex) return;
    this.#matchIndex = 0;
    this.becomeSnapshot();
    this.#lacksConfiguration = true;
  }

  /** Whatever made sending pause, an answer to it may have been lost. */
  answeredHeartbeat(lastIndex: LogIndex): void {
    this.#isPaused = false;
    this.#isAnswerDue = this.#state === 'probe' || this.#matchIndex < lastIndex;
  }

  /** What is on its way may be lost: sending begins again behind what the follower is known to have. */
  unreachable(): void {
    if (this.#state === 'replicate') this.#enter('probe', this.#matchIndex + 1);
  }

  /** The log has dropped the next entry. */
  becomeSnapshot(): void {
    this.#enter('snapshot', this.#nextIndex);
    this.#isOfferDue = true;
  }

  /** A heartbeat interval has passed: the last offer may have been lost. */
  repeatOffer(): void {
    this.#isOfferDue = this.#state === 'snapshot';
  }

  /**
   * Up to where the snapshot has to reach that is to be offered now; `undefined` if it is not time, or there is none yet.
   * It stays the same as long as the log reaches back to it, so that a follower can go on with what it has begun.
   */
  dueOffer(log: { readonly firstIndex: LogIndex; readonly applied: LogIndex }): LogIndex | undefined {
    if (!this.#isOfferDue) return undefined;
    const begun = this.#offerIndex === 0 && this.#lacksConfiguration ? log.applied : this.#offerIndex;
    return Math.max(begun, log.firstIndex - 1) || undefined;
  }

  offered(index: LogIndex): void {
    this.#offerIndex = index;
    this.#isOfferDue = false;
  }

  /** Probing, there is one append that an answer can be about; replicating, any from the match index on. */
  #mayBeRejected(rejectedIndex: LogIndex): boolean {
    const lowest = this.#state === 'replicate' ? this.#matchIndex : this.#nextIndex - 1;
    return rejectedIndex >= lowest && rejectedIndex < this.#nextIndex;
  }

  #enter(state: 'probe' | 'replicate' | 'snapshot', nextIndex: LogIndex): void {
    this.#state = state;
    this.#nextIndex = nextIndex;
    this.#sentCommit = Math.min(this.#sentCommit, nextIndex - 1);
    this.#isPaused = false;
    this.#isAnswerDue = false;
    this.#lacksConfiguration = false;
    this.#offerIndex = 0;
    this.#isOfferDue = false;
    this.inflights.clear();
  }
}
