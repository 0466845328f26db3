import { ManualClock } from '../../base/testing/manual-clock.ts';

/** Time that passes only when a test says so. Input and output go on by themselves meanwhile. */
export class VirtualClock extends ManualClock {
  /** Lets the time pass, timer by timer; between two of them everything that can happen does. */
  async pass(ms: number): Promise<void> {
    const endMs = this.monotonicMs() + ms;
    do await settled();
    while (this.fireNext(endMs));
    this.advance(endMs - this.monotonicMs());
    await settled();
  }

  /** Passes time in small steps until the condition holds; throws if it does not within `withinMs`. */
  async until(what: string, condition: () => boolean, withinMs = 10_000): Promise<void> {
    const endMs = this.monotonicMs() + withinMs;
    await settled();
    while (!condition()) {
      if (this.monotonicMs() >= endMs) throw new Error(`not within ${withinMs} ms of virtual time: ${what}`);
      await this.pass(10);
    }
  }
}

/** Enough rounds of the event loop for a message to go back and forth and for a batch to be written. */
async function settled(): Promise<void> {
  for (let round = 0; round < 30; round++) await new Promise((resolve) => setImmediate(resolve));
}
