import { Heap } from '../../../src/base/heap.ts';
import type { Chance } from './chance.ts';

/** Whatever things happen to: while it is stopped they wait, and once it is gone they never happen. */
export interface Process {
  readonly isGone: boolean;
  readonly isPaused: boolean;
  /** Takes what falls due during a pause, in order. */
  defer(run: () => void): void;
}

interface Event {
  readonly atMs: number;
  /** Of two events of one moment either may come first. */
  readonly tie: number;
  readonly number: number;
  readonly process: Process | undefined;
  run: (() => void) | undefined;
}

/** Events are run in one go that often; then the real event loop gets its turn. */
const eventsPerTurn = 2000;

/**
 * The time of the simulated world, and everything that will happen in it. Between two events all promises settle, so
 * that code which awaits runs as far as it can at the moment it can; nothing else decides about order.
 */
export class Scheduler {
  readonly #chance: Chance;
  readonly #events = new Heap<Event>(isBefore);
  #nowMs = 0;
  #count = 0;
  #numbers = 0;
  #stopped: { readonly reason: unknown } | undefined;
  /** Called after each event and all that follows from it at once. */
  onSettled: () => void = () => undefined;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events so far. */
  get count(): number {
    return this.#count;
  }

  /** Runs it that many milliseconds later; the returned function takes it back. */
  after(delayMs: number, process: Process | undefined, run: () => void): () => void {
    const event: Event = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      tie: this.#chance.below(2 ** 32),
      number: ++this.#numbers,
      process,
      run,
    };
    this.#events.push(event);
    return () => {
      event.run = undefined;
    };
  }

  /** Ends `runUntil` with that reason. */
  stop(reason: unknown): void {
    this.#stopped ??= { reason };
  }

  /** Lets time pass until then, or until the condition holds, which is looked at after each event. */
  runUntil(endMs: number, condition: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      let left = eventsPerTurn;
      const end = (): void => {
        if (this.#stopped !== undefined) reject(this.#stopped.reason as Error);
        else resolve();
      };
      const settle = (): void => {
        try {
          this.onSettled();
        } catch (reason) {
          this.stop(reason);
        }
        if (this.#stopped !== undefined || condition()) end();
        else turn();
      };
      const turn = (): void => {
        if (!this.#runNext(endMs)) {
          this.#nowMs = Math.max(this.#nowMs, endMs);
          end();
          return;
        }
        // A tick asked for by a microtask comes after all microtasks: then every promise has settled. It costs a tenth
        // of a round of the event loop.
        if (--left > 0) queueMicrotask(() => process.nextTick(settle));
        else {
          left = eventsPerTurn;
          setImmediate(settle);
        }
      };
      // What was begun before the first event settles too.
      setImmediate(settle);
    });
  }

  /** False if nothing happens until then. */
  #runNext(endMs: number): boolean {
    for (;;) {
      const event = this.#events.peek();
      if (event === undefined || event.atMs > endMs) return false;
      this.#events.pop();
      const { process: owner } = event;
      if (event.run === undefined || owner?.isGone === true) continue;
      this.#nowMs = event.atMs;
      this.#count++;
      try {
        // It may still be taken back while it waits.
        if (owner?.isPaused === true) owner.defer(() => event.run?.());
        else event.run();
      } catch (reason) {
        this.stop(reason);
      }
      return true;
    }
  }
}

function isBefore(a: Event, b: Event): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  return a.tie === b.tie ? a.number < b.number : a.tie < b.tie;
}
