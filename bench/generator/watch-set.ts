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
        const index = watches.kind === 'keys' ? watches.first + mine : mine;
        const range: WatchedRange =
          watches.kind === 'keys'
            ? { text: numberedKey(watches.prefix, index), isPrefix: false }
            : { text: watches.prefix, isPrefix: true };
        this.#watches.push(await this.#watch(client, range, index));
      }
    };
    await Promise.all(Array.from({ length: openingMax }, worker));
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
        this.#write.push(writeOf(value));
      },
      onEnd: (reason) => {
        this.#ended++;
        this.#lastReason = reason;
      },
    });
  }
}
