import type { LogIndex, MemberId } from './types.ts';

/** A read that asks for an index: this member's own, or another's that forwarded it. */
export interface ReadRequest {
  readonly from: MemberId;
  readonly context: number;
}

/** The reads of a round, and the commit index when it started. */
export interface Round {
  readonly number: number;
  readonly index: LogIndex;
  readonly startedTick: number;
  readonly reads: readonly ReadRequest[];
  readonly answered: Set<MemberId>;
}

/** Members ask again after a while, so dropping beyond this loses nothing but time. */
const waitingMax = 4096;

/**
 * Read-index rounds of one leadership (thesis 6.4). A round confirms with a quorum that this member still led after the
 * round started; so it may release only reads that had arrived before. One round at a time, and everything that
 * arrives meanwhile shares the next. A change of term or leader ends all of it without an answer.
 */
export class ReadRounds {
  #waiting: ReadRequest[] = [];
  #current: Round | undefined;
  #lastNumber = 0;

  /** The round that is under way. Its number travels with every heartbeat, so that the next repeats what was lost. */
  get current(): Round | undefined {
    return this.#current;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  add(read: ReadRequest): void {
    if (this.#waiting.length < waitingMax) this.#waiting.push(read);
  }

  /** What waits, where no round is needed. */
  takeWaiting(): readonly ReadRequest[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  start(at: { readonly index: LogIndex; readonly tick: number }): void {
    this.#current = {
      number: ++this.#lastNumber,
      index: at.index,
      startedTick: at.tick,
      reads: this.takeWaiting(),
      answered: new Set(),
    };
  }

  /** The current round is confirmed. */
  end(): void {
    this.#current = undefined;
  }
}
