/**
 * Does what comes for many calls at once in pieces, so that the timers of the member, its heartbeats among them, come in between: one
 * read of a socket can bring thousands of calls, and one answer of a quorum as many answers.
 *
 * **Invariant:** what is given first is done first.
 */
export class Turns {
  readonly #perTurn: number;
  readonly #waiting: (() => void)[] = [];
  #done = 0;
  #isTurning = false;

  /** @param perTurn Of the event loop. */
  constructor(perTurn: number) {
    this.#perTurn = perTurn;
  }

  /** At once, or in one of the next turns. `task` must not throw. */
  run(task: () => void): void {
    if (!this.#isTurning) {
      this.#isTurning = true;
      setImmediate(() => this.#turn());
    }
    if (this.#waiting.length > 0 || this.#done >= this.#perTurn) {
      this.#waiting.push(task);
      return;
    }
    this.#done++;
    task();
  }

  #turn(): void {
    this.#done = 0;
    this.#isTurning = this.#waiting.length > 0;
    if (!this.#isTurning) return;
    setImmediate(() => this.#turn());
    while (this.#done < this.#perTurn) {
      const task = this.#waiting.shift();
      if (task === undefined) return;
      this.#done++;
      task();
    }
  }
}
