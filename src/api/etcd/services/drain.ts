/** Has who sends many answers wait for a client that is slow, but not for one that is gone. */
export class Drain {
  #isOver = false;
  #resume: () => void = () => {};

  constructor(call: { drained: () => void }) {
    call.drained = () => this.#resume();
  }

  /** Until the client has taken what it was sent, or the call is over, as it may be already: then nothing is ever taken. */
  wait(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  close(): void {
    this.#isOver = true;
    this.#resume();
  }
}
