import { ManualClock } from '../../base/testing/manual-clock.ts';

/** A clock for tests with real sockets. */
export class SteppingClock extends ManualClock {
  /** Time passes evenly, with so many turns of the event loop in between that what was written has been read. */
  async pass(ms: number, stepMs = 10): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.leap(stepMs);
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
