import type { Clock } from '../base/clock.ts';
import { Heap } from '../base/heap.ts';
import type { LeaseId, LeaseRecord } from '../contract/lease.ts';
import type { Term } from '../raft/index.ts';

export interface LessorOptions {
  readonly clock: Clock;
  readonly tickMs: number;
  readonly electionTimeoutMs: number;
  /** Leases that have run out; resolves when the proposal has ended, however. */
  readonly expire: (term: Term, ids: readonly LeaseId[]) => Promise<void>;
  readonly checkpoint: (
    term: Term,
    leases: readonly { readonly id: LeaseId; readonly remaining: number }[],
  ) => Promise<void>;
}

/** Leases that are ended by one entry: storms are spread over many, so that other writes come in between. */
const expiredPerEntryMax = 256;
const checkpointsPerEntryMax = 1000;
/** What is left of long leases is written down at least that often. */
const checkpointIntervalMaxMs = 60_000;

interface Held {
  readonly id: LeaseId;
  readonly ttlMs: number;
  /** On the lessor's own clock. */
  expiresMs: number;
  checkpointMs: number;
  /** The log says that less than all is left, or may come to say it. */
  isCheckpointed: boolean;
  /** Checkpoints that were proposed for it. */
  checkpoints: number;
  /** In line for its checkpoint. */
  isWaiting: boolean;
  /** Its end is proposed. */
  isExpiring: boolean;
}

interface Wake {
  readonly atMs: number;
  readonly lease: Held;
}

/**
 * The time of all leases, kept by the leader alone. One heap for all, looked at every tick; a renewal only moves a date.
 *
 * Its clock counts ticks rather than time: while the process stood still, renewals may have waited unread, so a stall is
 * not counted. Leases end late by the stall, never early.
 *
 * **Invariant:** no lease is ended before its TTL has passed since the last renewal that was acknowledged, by any leader. A
 * new leader gives each lease what the log says is left, and an election timeout on top.
 */
export class Lessor {
  readonly #options: LessorOptions;
  readonly #held = new Map<LeaseId, Held>();
  #wakes = newWakes();
  #term: Term | undefined;
  #nowMs = 0;
  #lastTickMs: number;
  #isExpiring = false;
  #isCheckpointing = false;
  /** Due, and waiting for their entry. */
  #due: Held[] = [];
  #toCheckpoint: Held[] = [];

  constructor(options: LessorOptions) {
    this.#options = options;
    this.#lastTickMs = options.clock.monotonicMs();
  }

  get isLeading(): boolean {
    return this.#term !== undefined;
  }

  get term(): Term | undefined {
    return this.#term;
  }

  /** Leases whose time this member keeps. */
  get size(): number {
    return this.#held.size;
  }

  lead(term: Term, leases: Iterable<LeaseRecord>): void {
    this.stop();
    this.#term = term;
    this.#lastTickMs = this.#options.clock.monotonicMs();
    for (const lease of leases) {
      const ttlMs = 1000 * (lease.remaining ?? lease.ttl);
      this.#hold(lease, ttlMs + this.#options.electionTimeoutMs);
    }
  }

  stop(): void {
    this.#term = undefined;
    this.#held.clear();
    this.#wakes = newWakes();
    this.#due = [];
    this.#toCheckpoint = [];
  }

  /** An entry granted, checkpointed or ended it. */
  onLeaseChange(id: LeaseId, lease: LeaseRecord | undefined): void {
    if (this.#term === undefined) return;
    if (lease === undefined) {
      this.#held.delete(id);
      return;
    }
    const held = this.#held.get(id);
    if (held === undefined) this.#hold(lease, 1000 * lease.ttl);
    else if (lease.remaining !== undefined) held.isCheckpointed = true;
  }

  /** `gone`: there is none, or it is ending. `checkpointed`: the log has to say first that all its time is left. */
  state(id: LeaseId): 'held' | 'checkpointed' | 'gone' {
    const held = this.#held.get(id);
    if (held === undefined || held.isExpiring || held.expiresMs <= this.#present()) return 'gone';
    return held.isCheckpointed ? 'checkpointed' : 'held';
  }

  /** Names what was proposed for it so far, for `restored`. */
  checkpoints(id: LeaseId): number {
    return this.#held.get(id)?.checkpoints ?? 0;
  }

  /**
   * The log says again that all its time is left, by an entry behind the checkpoints counted before it was proposed. One
   * that was proposed since still says otherwise.
   */
  restored(id: LeaseId, checkpoints: number): void {
    const held = this.#held.get(id);
    if (held?.checkpoints === checkpoints) held.isCheckpointed = false;
  }

  /** Gives it all its time from now on. */
  renew(id: LeaseId): void {
    const held = this.#held.get(id);
    if (held === undefined || held.isExpiring) return;
    held.expiresMs = this.#present() + held.ttlMs;
    held.checkpointMs = this.#present() + checkpointInterval(held);
  }

  /** Milliseconds; undefined if it is gone. */
  leftMs(id: LeaseId): number | undefined {
    const held = this.#held.get(id);
    if (held === undefined || held.isExpiring) return undefined;
    return Math.max(0, held.expiresMs - this.#present());
  }

  tick(): void {
    const { clock, tickMs } = this.#options;
    const now = clock.monotonicMs();
    this.#nowMs += Math.min(now - this.#lastTickMs, 2 * tickMs);
    this.#lastTickMs = now;
    if (this.#term === undefined) return;
    for (let wake = this.#wakes.peek(); wake !== undefined && wake.atMs <= this.#nowMs; wake = this.#wakes.peek()) {
      this.#wakes.pop();
      this.#look(wake.lease);
    }
    void this.#expireDue();
    void this.#checkpointDue();
  }

  /** Between two ticks time goes on for whoever asks, but no further than a tick counts. */
  #present(): number {
    const { clock, tickMs } = this.#options;
    return this.#nowMs + Math.min(clock.monotonicMs() - this.#lastTickMs, 2 * tickMs);
  }

  #hold({ id, ttl, remaining }: LeaseRecord, leftMs: number): void {
    const now = this.#present();
    const held: Held = {
      id,
      ttlMs: 1000 * ttl,
      expiresMs: now + leftMs,
      checkpointMs: 0,
      isCheckpointed: remaining !== undefined,
      checkpoints: 0,
      isWaiting: false,
      isExpiring: false,
    };
    held.checkpointMs = now + checkpointInterval(held);
    this.#held.set(id, held);
    this.#wakeLater(held);
  }

  #wakeLater(lease: Held): void {
    this.#wakes.push({ atMs: Math.min(lease.expiresMs, lease.checkpointMs), lease });
  }

  #look(lease: Held): void {
    if (!this.#isHeld(lease) || lease.isExpiring) return;
    if (lease.expiresMs <= this.#nowMs) {
      lease.isExpiring = true;
      this.#due.push(lease);
      return;
    }
    if (lease.checkpointMs <= this.#nowMs) {
      lease.checkpointMs = this.#nowMs + checkpointInterval(lease);
      // There may be more of them than entries get through; the one that is in line will say what is left then.
      if (!lease.isWaiting) this.#toCheckpoint.push(lease);
      lease.isWaiting = true;
    }
    this.#wakeLater(lease);
  }

  /** One entry at a time; what did not get through (too many writes, no quorum) is proposed again. */
  async #expireDue(): Promise<void> {
    const term = this.#term;
    if (this.#isExpiring || term === undefined || this.#due.length === 0) return;
    this.#isExpiring = true;
    // One that was revoked may have been granted anew under the same id, and that one is not due.
    const batch = this.#due.splice(0, expiredPerEntryMax).filter((lease) => this.#isHeld(lease));
    const ids = batch.map(({ id }) => id);
    if (ids.length > 0) await this.#options.expire(term, ids);
    this.#isExpiring = false;
    if (this.#term !== term) return;
    const left = batch.filter((lease) => this.#isHeld(lease));
    this.#due.push(...left);
    // What failed is tried again with the next tick.
    if (left.length === 0) void this.#expireDue();
  }

  async #checkpointDue(): Promise<void> {
    const term = this.#term;
    if (this.#isCheckpointing || term === undefined || this.#toCheckpoint.length === 0) return;
    this.#isCheckpointing = true;
    const leases: { readonly id: LeaseId; readonly remaining: number }[] = [];
    for (const lease of this.#toCheckpoint.splice(0, checkpointsPerEntryMax)) {
      lease.isWaiting = false;
      // Rounded up: a lease must not lose a part of a second with each leader.
      const remaining = Math.ceil((lease.expiresMs - this.#nowMs) / 1000);
      // More than the TTL is left of what a leader gave for its election; the next one gives as much again.
      if (!this.#isHeld(lease) || lease.isExpiring || 1000 * remaining >= lease.ttlMs) continue;
      // From here on: a renewal that is acknowledged before the entry is applied would be undone by it.
      lease.isCheckpointed = true;
      lease.checkpoints++;
      leases.push({ id: lease.id, remaining });
    }
    if (leases.length > 0) await this.#options.checkpoint(term, leases);
    this.#isCheckpointing = false;
  }

  #isHeld(lease: Held): boolean {
    return this.#held.get(lease.id) === lease;
  }
}

function newWakes(): Heap<Wake> {
  return new Heap((a, b) => a.atMs < b.atMs);
}

/** Whoever renews in time, at a third of the TTL as clients do, never has a checkpoint written, if the TTL is short. */
function checkpointInterval({ ttlMs }: Held): number {
  return Math.min(ttlMs / 2, checkpointIntervalMaxMs);
}
