import type { LogIndex, MemberId } from './types.ts';

/** A read that asks for an index: this member's own, or another's that forwarded it. */
export interface ReadRequest {
  readonly from: MemberId;
  readonly context: number;
}

interface Round {
  readonly number: number;
  /** The commit index when the round started. */
  readonly index: LogIndex;
  readonly startedTick: number;
  readonly reads: readonly ReadRequest[];
  readonly acknowledged: Set<MemberId>;
}

/** Members ask again after a while, so dropping beyond this loses nothing but time. */
const waitingMax = 10_000;

/**
 * Read-index rounds of one leadership (thesis 6.4). A round confirms with a quorum that this member still led after the
 * round started; so it may release only reads that had arrived before. One round at a time, and everything that
 * arrives meanwhile shares the next.
 */
export class ReadRounds {
  #waiting: ReadRequest[] = [];
  #round: Round | undefined;
  #lastNumber = 0;

  /** 0: none is under way. Travels with every heartbeat, so that a lost one is repeated by the next. */
  get current(): number {
    return this.#round?.number ?? 0;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  add(read: ReadRequest): void {
    if (this.#waiting.length < waitingMax) this.#waiting.push(read);
  }

  /** Hands out what waits without a round, where none is needed. */
  takeWaiting(): readonly ReadRequest[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  start(at: { readonly index: LogIndex; readonly tick: number }): void {
    this.#round = {
      number: ++this.#lastNumber,
      index: at.index,
      startedTick: at.tick,
      reads: this.takeWaiting(),
      acknowledged: new Set(),
    };
  }

  /** `undefined` unless that answer completes the round; then the round is over. */
  acknowledge(
    from: MemberId,
    number: number,
    isQuorum: (acknowledged: ReadonlySet<MemberId>) => boolean,
  ): Round | undefined {
    const round = this.#round;
    if (round === undefined || round.number !== number) return undefined;
    round.acknowledged.add(from);
    if (!isQuorum(round.acknowledged)) return undefined;
    this.#round = undefined;
    return round;
  }
}
