import type { Client, Watch, WatchedRange } from './clients/client.ts';
import type { Deliveries, WatchJob, WatchState } from './commands.ts';
import { numberedKey } from './key-order.ts';
import { monotonicMicros, openClient } from './open-client.ts';
import { writeOf } from './write-at-rate.ts';

/** Requests to begin a watch under way at the same time: a server's queue of connections is not what is measured. */
const openingMax = 32;

/** The watches of one generator process, and when each event came. */
export class WatchSet {
  readonly #watches: Watch[] = [];
  #client: Client | undefined;
  #watchedIndex: number[] = [];
  #write: number[] = [];
  #deliveredMicros: number[] = [];
  #awaited: AwaitedWrite | undefined;
  #events = 0;
  #ended = 0;
  #lastReason: string | undefined;

  /** Resolves when the server has begun all of them. */
  async open({ target, connections, localAddress, watches }: WatchJob): Promise<void> {
    this.#client = openClient(target, connections, { localAddress });
    const client = this.#client;
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let mine = next++; mine < watches.count; mine = next++) {
        const index = watches.first + mine;
        this.#watches.push(await this.#watch(client, rangeOf(watches, index), index));
      }
    };
    await Promise.all(Array.from({ length: openingMax }, worker));
  }

  /** Resolves when each of these watches has had one event of the write; before it is sent, since events may come first. */
  delivered(write: number): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited = { write, missing: this.#watches.length, resolve };
    });
  }

  pause(): void {
    for (const watch of this.#watches) watch.pause();
  }

  resume(count: number): void {
    for (const watch of this.#watches.slice(0, count)) watch.resume();
  }

  state(): WatchState {
    return { events: this.#events, ended: this.#ended, lastReason: this.#lastReason };
  }

  takeDeliveries(): Deliveries {
    const deliveries = {
      watchedIndex: Float64Array.from(this.#watchedIndex),
      write: Float64Array.from(this.#write),
      deliveredMicros: Float64Array.from(this.#deliveredMicros),
    };
    this.#watchedIndex = [];
    this.#write = [];
    this.#deliveredMicros = [];
    return deliveries;
  }

  #watch(client: Client, range: WatchedRange, index: number): Promise<Watch> {
    return client.watch(range, {
      onEvent: ({ value }) => {
        this.#events++;
        // The events of a prefix are only counted: millions of them would fill this process.
        if (range.isPrefix) return;
        this.#deliveredMicros.push(monotonicMicros());
        this.#watchedIndex.push(index);
        const write = writeOf(value);
        this.#write.push(write);
        if (write === this.#awaited?.write && --this.#awaited.missing === 0) this.#awaited.resolve();
      },
      onEnd: (reason) => {
        this.#ended++;
        this.#lastReason = reason;
      },
    });
  }
}

interface AwaitedWrite {
  readonly write: number;
  missing: number;
  resolve(): void;
}

function rangeOf(watches: WatchJob['watches'], index: number): WatchedRange {
  if (watches.kind === 'prefix') return { text: watches.prefix, isPrefix: true };
  const text = watches.kind === 'key' ? watches.key : numberedKey(watches.prefix, index);
  return { text, isPrefix: false };
}
