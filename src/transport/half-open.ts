import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';

/** From the connection to the hello. */
export const handshakeTimeoutMs = 5000;

/** Sockets that have not said hello, at a time. */
const halfOpenMax = 256;

/**
 * Sockets of which nothing is known yet. Each has a deadline, and there are so many at most: when one more comes the
 * oldest goes, not the newest, so that silent sockets cannot keep a peer out, which says hello within a moment.
 */
export class HalfOpenSockets {
  readonly #clock: Clock;
  /** In the order in which they came. */
  readonly #deadlines = new Map<Duplex, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#deadlines.size;
  }

  add(socket: Duplex): void {
    this.#deadlines.set(socket, this.#clock.monotonicMs() + handshakeTimeoutMs);
    socket.once('close', () => this.#deadlines.delete(socket));
    if (this.#deadlines.size <= halfOpenMax) return;
    const [oldest] = this.#deadlines.keys();
    if (oldest !== undefined) this.#drop(oldest);
  }

  /** Its peer is known. */
  remove(socket: Duplex): void {
    this.#deadlines.delete(socket);
  }

  /** Ends those that took too long. */
  sweep(): void {
    const now = this.#clock.monotonicMs();
    for (const [socket, deadlineMs] of this.#deadlines) {
      if (deadlineMs > now) return;
      this.#drop(socket);
    }
  }

  closeAll(): void {
    for (const socket of this.#deadlines.keys()) this.#drop(socket);
  }

  #drop(socket: Duplex): void {
    this.#deadlines.delete(socket);
    socket.destroy();
  }
}
