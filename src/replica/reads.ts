import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { BalsaError } from '../contract/errors.ts';
import type { LogIndex, RaftCore, ReadState } from '../raft/index.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import type { ReplicaMetrics } from './metrics.ts';

export interface ReadsOptions {
  readonly core: Pick<RaftCore, 'leader' | 'requestReadIndex'>;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly metrics: ReplicaMetrics;
  /** A question without an answer for that long is asked again. */
  readonly retryMs: number;
  readonly pendingMax: number;
  readonly random: Random;
  /** The newest index that the state machine holds. */
  readonly appliedIndex: () => LogIndex;
  readonly wake: () => void;
}

interface Read {
  readonly deadline: Deadline;
  readonly resolve: () => void;
  readonly reject: (error: BalsaError) => void;
}

/** One question for a read index, which answers all reads that had arrived when it was asked first. */
interface Round {
  /** One for each time that it was asked; an answer to any of them will do. */
  readonly contexts: number[];
  readonly startedMs: number;
  askedMs: number;
  readonly reads: Set<Read>;
}

/** Attempts whose answers still count; with usual timeouts, those of some seconds. */
const contextsMax = 32;

/**
 * Linearizable reads by ReadIndex (thesis 6.4): the leader confirms with a quorum that it still leads, and the read is
 * served here as soon as the state machine holds the commit index of that moment. One round at a time; reads that
 * arrive meanwhile share the next.
 *
 * **Invariant:** a read uses only a round that was started after it arrived, and every attempt has a context of its
 * own: an answer that comes late can never satisfy a newer read (etcd#20418).
 */
export class Reads {
  readonly #options: ReadsOptions;
  #waiting = new Set<Read>();
  #round: Round | undefined;
  /** Confirmed, and waiting for the state machine to get there. */
  #confirmed: { readonly index: LogIndex; readonly round: Round }[] = [];
  #lastContext: number;
  #currentAsOfMs = Number.NEGATIVE_INFINITY;
  #probeWanted = false;
  #closed: BalsaError | undefined;

  constructor(options: ReadsOptions) {
    this.#options = options;
    // An answer meant for this member before it was restarted must not fit a question asked after that.
    this.#lastContext = options.random.below(2 ** 32) * 2 ** 20;
  }

  /** Resolves when this member's state holds every write acknowledged before this call. */
  confirm(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closed);
        return;
      }
      if (this.#waiting.size >= this.#options.pendingMax) {
        reject(overloaded());
        return;
      }
      const read: Read = {
        deadline: {
          atMs: this.#options.clock.monotonicMs() + timeoutMs,
          onExpired: () => this.#expire(read),
        },
        resolve,
        reject,
      };
      this.#options.deadlines.add(read.deadline);
      this.#waiting.add(read);
      this.#options.wake();
    });
  }

  /**
   * Milliseconds; this member's state holds every write that was acknowledged longer ago. Measured on this member's
   * clock alone, from the start of the last confirmed round. Infinity before the first.
   */
  stalenessMs(): number {
    return this.#options.clock.monotonicMs() - this.#currentAsOfMs;
  }

  /** Asks for a round even if no read waits, to learn how old the state is. */
  probe(): void {
    this.#probeWanted = true;
    this.#options.wake();
  }

  /** Starts a round for everything that waits, unless one is under way. */
  startRound(): void {
    if (this.#round !== undefined || (this.#waiting.size === 0 && !this.#probeWanted)) return;
    const context = ++this.#lastContext;
    if (!this.#options.core.requestReadIndex(context)) return;
    const now = this.#options.clock.monotonicMs();
    this.#probeWanted = false;
    this.#round = { contexts: [context], startedMs: now, askedMs: now, reads: this.#waiting };
    this.#waiting = new Set();
  }

  onReadState(state: ReadState): void {
    const round = this.#round;
    if (round === undefined || !round.contexts.includes(state.context)) return;
    this.#round = undefined;
    this.#options.metrics.readRoundConfirmed(round.reads.size, this.#options.clock.monotonicMs() - round.startedMs);
    this.#confirmed.push({ index: state.index, round });
    this.releaseApplied();
    this.startRound();
  }

  /** The state machine has moved on. */
  releaseApplied(): void {
    if (this.#confirmed.length === 0) return;
    const applied = this.#options.appliedIndex();
    const [ready, waiting] = partition(this.#confirmed, ({ index }) => index <= applied);
    if (ready.length === 0) return;
    this.#confirmed = waiting;
    for (const { round } of ready) {
      this.#currentAsOfMs = Math.max(this.#currentAsOfMs, round.startedMs);
      for (const read of round.reads) {
        this.#options.deadlines.remove(read.deadline);
        read.resolve();
      }
    }
  }

  /** Leader or term changed: the round under way is void, and its reads join the next one. */
  onLeadershipChange(): void {
    this.#repeatRound();
  }

  tick(): void {
    const now = this.#options.clock.monotonicMs();
    if (this.#round !== undefined && now - this.#round.askedMs >= this.#options.retryMs)
      this.#askAgain(this.#round, now);
    if (this.#waiting.size > 0 || this.#probeWanted) this.#options.wake();
  }

  close(error: BalsaError): void {
    this.#closed = error;
    const rounds = [...this.#confirmed.map(({ round }) => round), ...(this.#round === undefined ? [] : [this.#round])];
    for (const read of [...this.#waiting, ...rounds.flatMap((round) => [...round.reads])]) {
      this.#options.deadlines.remove(read.deadline);
      read.reject(error);
    }
    this.#waiting.clear();
    this.#confirmed = [];
    this.#round = undefined;
  }

  /**
   * Question or answer may be lost, or only be slow: so both attempts count. Reads that arrived since then wait for the
   * next round, as an answer to the first attempt may be older than they are.
   */
  #askAgain(round: Round, now: number): void {
    const context = ++this.#lastContext;
    round.askedMs = now;
    if (!this.#options.core.requestReadIndex(context)) return;
    round.contexts.push(context);
    if (round.contexts.length > contextsMax) round.contexts.shift();
    this.#options.wake();
  }

  #repeatRound(): void {
    if (this.#round === undefined) return;
    for (const read of this.#round.reads) this.#waiting.add(read);
    if (this.#round.reads.size === 0) this.#probeWanted = true;
    this.#round = undefined;
    this.#options.wake();
  }

  #expire(read: Read): void {
    this.#waiting.delete(read);
    this.#round?.reads.delete(read);
    for (const { round } of this.#confirmed) round.reads.delete(read);
    read.reject(this.#options.core.leader === undefined ? noLeader() : timeout());
  }
}

function partition<T>(all: readonly T[], belongs: (one: T) => boolean): [T[], T[]] {
  return [all.filter(belongs), all.filter((one) => !belongs(one))];
}

function overloaded(): BalsaError {
  return new BalsaError('too_many_requests', 'This member has too many reads waiting. Send it again a little later.');
}

function noLeader(): BalsaError {
  return new BalsaError(
    'no_leader',
    'The cluster had no leader within the time-out, so a linearizable read cannot be answered. ' +
      "Ask with ?consistency=stale for this member's own state, or see /v1/cluster for who is reachable.",
  );
}

function timeout(): BalsaError {
  return new BalsaError(
    'timeout',
    'The leader did not confirm the read within the time-out. Send it again, or ask with ?consistency=stale.',
  );
}
