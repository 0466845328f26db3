import { Inflights } from './inflights.ts';
import type { LogIndex, MemberId } from './types.ts';

/**
 * What a leader knows of another member's log, and how it sends (as etcd-io/raft `tracker/progress.go`).
 *
 *                       an append was accepted
 *        ┌──────────┐ ──────────────────────────▶ ┌───────────┐
 *     ──▶│  probe   │                             │ replicate │
 *        └──────────┘ ◀────────────────────────── └───────────┘
 *             │         rejected, or unreachable        │
 *             └──────────────▶ snapshot ◀───────────────┘
 *                   the log does not reach back that far
 *
 * - `probe`: where the logs agree is not known; one append at a time, then silence until an answer or a heartbeat.
 * - `replicate`: appends follow each other without waiting, until the window of inflights is full.
 * - `snapshot`: appends cannot help; nothing is sent.
 *
 * **Invariant:** matchIndex < nextIndex.
 */
export class FollowerProgress {
  readonly id: MemberId;
  readonly inflights: Inflights;
  state: 'probe' | 'replicate' | 'snapshot' = 'probe';
  /** The highest index that the follower is known to share with this leader's log. */
  matchIndex: LogIndex = 0;
  /** The next entry to send. */
  nextIndex: LogIndex;
  /** The highest commit index that was sent. */
  sentCommit: LogIndex = 0;
  /** An append is on its way (probe), or the window was filled (replicate); a heartbeat's answer lifts it. */
  isPaused = false;
  /** It is there and seems to lack something: the next append is sent even if it is empty, to hear what it has. */
  isAnswerDue = false;
  /** It answered since the leader last counted its quorum. */
  recentlyActive = false;

  constructor(id: MemberId, nextIndex: LogIndex, window: { messagesMax: number; bytesMax: number }) {
    this.id = id;
    this.nextIndex = nextIndex;
    this.inflights = new Inflights(window.messagesMax, window.bytesMax);
  }

  becomeProbe(): void {
    this.#reset('probe');
    this.nextIndex = this.matchIndex + 1;
    this.sentCommit = Math.min(this.sentCommit, this.nextIndex - 1);
  }

  becomeReplicate(): void {
    this.#reset('replicate');
    this.nextIndex = this.matchIndex + 1;
  }

  becomeSnapshot(): void {
    this.#reset('snapshot');
  }

  /** The follower accepted everything up to `index`; false if that was known. */
  maybeUpdate(index: LogIndex): boolean {
    if (index <= this.matchIndex) return false;
    this.matchIndex = index;
    this.nextIndex = Math.max(this.nextIndex, index + 1);
    this.isPaused = false;
    return true;
  }

  /**
   * The follower rejected an append after `rejectedIndex`; `agreeIndex` is where the logs may agree. False if the answer
   * is old, and nothing changed.
   */
  maybeDecrease(rejectedIndex: LogIndex, agreeIndex: LogIndex): boolean {
    if (this.state === 'replicate') {
      if (rejectedIndex <= this.matchIndex) return false;
      this.becomeProbe();
      return true;
    }
    if (this.nextIndex - 1 !== rejectedIndex) return false;
    // It had acknowledged that entry and has it no more: counting on it would commit what is not there (etcd#15699).
    if (rejectedIndex <= this.matchIndex) this.matchIndex = Math.max(0, Math.min(rejectedIndex - 1, agreeIndex));
    this.nextIndex = Math.max(Math.min(rejectedIndex, agreeIndex + 1), this.matchIndex + 1);
    this.sentCommit = Math.min(this.sentCommit, this.nextIndex - 1);
    this.isPaused = false;
    return true;
  }

  /** An append with entries up to `lastIndex` was sent. */
  sent(lastIndex: LogIndex, bytes: number): void {
    if (this.state === 'replicate') {
      this.nextIndex = lastIndex + 1;
      this.inflights.add(lastIndex, bytes);
      this.isPaused = this.inflights.isFull;
      return;
    }
    this.isPaused = true;
  }

  #reset(state: FollowerProgress['state']): void {
    this.state = state;
    this.isPaused = false;
    this.isAnswerDue = false;
    this.inflights.clear();
  }
}
