import { assert } from '../base/assert.ts';
import type { LogIndex } from './types.ts';

interface Inflight {
  readonly lastIndex: LogIndex;
  readonly bytes: number;
}

/** The append messages on their way to one follower, bounded in number and in bytes; a ring. */
export class Inflights {
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  readonly #ring: Inflight[] = [];
  #start = 0;
  #count = 0;
  #bytes = 0;

  constructor(messagesMax: number, bytesMax: number) {
    assert(messagesMax > 0, 'a window without room for one message');
    assert(bytesMax > 0, 'a window without room for one byte');
    this.#messagesMax = messagesMax;
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#count;
  }

  /** In bytes it is full when the bound is reached: the message that reaches it may pass it. */
  get isFull(): boolean {
    return this.#count >= this.#messagesMax || this.#bytes >= this.#bytesMax;
  }

  add(lastIndex: LogIndex, bytes: number): void {
    assert(!this.isFull, 'an append beyond the window');
    this.#ring[(this.#start + this.#count) % this.#messagesMax] = { lastIndex, bytes };
    this.#count++;
    this.#bytes += bytes;
  }

  /** Frees everything up to `index`: the follower has it. */
  freeTo(index: LogIndex): void {
    while (this.#count > 0) {
      const first = this.#ring[this.#start];
      if (first === undefined || first.lastIndex > index) return;
      this.#start = (this.#start + 1) % this.#messagesMax;
      this.#count--;
      this.#bytes -= first.bytes;
    }
  }

  clear(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }
}
