import type { Clock } from '../base/clock.ts';
import type { MemberId } from '../raft/types.ts';
import type { OutboundConnection } from './outbound.ts';
import type { PeerAnswer, PeerRequest } from './transport.ts';

/** Whoever asked for something long asks for the next piece at once, or not at all. */
const idleMsMax = 10_000;

/** As a caller asks for one piece after another, more than a few come from many callers. */
const waitingMax = 64;

export interface BulkEvents {
  onOpen(connection: OutboundConnection): void;
  /** The attempt failed, or the connection is gone. */
  onEnd(reason: string): void;
}

interface Waiting {
  readonly request: PeerRequest;
  readonly atMs: number;
  readonly resolve: (answer: PeerAnswer) => void;
}

const late: PeerAnswer = { outcome: 'not_sent', reason: 'the time was up before it could be sent' };

type State =
  | { readonly t: 'idle' }
  | { readonly t: 'connecting'; readonly close: (reason: string) => void }
  | { readonly t: 'open'; readonly connection: OutboundConnection; readonly close: (reason: string) => void };

/**
 * The second connection to a peer, for what is long: opened when it is first needed, closed when nobody has asked for
 * anything for a while. It is not tried again by itself; whoever asks for pieces asks again.
 */
export class BulkLink {
  readonly #peer: MemberId;
  readonly #clock: Clock;
  /** Begins an attempt; the function it returns ends it, or what came of it. */
  readonly #connect: (events: BulkEvents) => (reason: string) => void;
  #state: State = { t: 'idle' };
  #waiting: Waiting[] = [];
  #usedMs = 0;

  constructor(peer: MemberId, clock: Clock, connect: (events: BulkEvents) => (reason: string) => void) {
    this.#peer = peer;
    this.#clock = clock;
    this.#connect = connect;
  }

  get connection(): OutboundConnection | undefined {
    return this.#state.t === 'open' ? this.#state.connection : undefined;
  }

  request(request: PeerRequest): Promise<PeerAnswer> {
    this.#usedMs = this.#clock.monotonicMs();
    if (this.#state.t === 'open') return this.#state.connection.request(request);
    if (this.#waiting.length >= waitingMax) {
      const reason = `too many requests wait for a second connection to member ${this.#peer}`;
      return Promise.resolve({ outcome: 'not_sent', reason });
    }
    const asked = new Promise<PeerAnswer>((resolve) => {
      this.#waiting.push({ request, atMs: this.#usedMs + request.timeoutMs, resolve });
    });
    if (this.#state.t === 'idle') this.#open();
    return asked;
  }

  /** Once a heartbeat. */
  tick(): void {
    this.#expireWaiting();
    if (this.#state.t !== 'open') return;
    const { connection } = this.#state;
    if (connection.requestsPending > 0) this.#usedMs = this.#clock.monotonicMs();
    if (this.#clock.monotonicMs() - this.#usedMs > idleMsMax) this.close('it was not needed any more');
    else connection.ping();
  }

  close(reason: string): void {
    const state = this.#state;
    this.#state = { t: 'idle' };
    if (state.t !== 'idle') state.close(reason);
    this.#refuseWaiting(reason);
  }

  #open(): void {
    const close = this.#connect({
      onOpen: (connection) => {
        this.#state = { t: 'open', connection, close };
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const { request, atMs, resolve } of waiting) {
          const timeoutMs = atMs - this.#clock.monotonicMs();
          if (timeoutMs > 0) connection.request({ ...request, timeoutMs }).then(resolve);
          else resolve(late);
        }
      },
      onEnd: (reason) => {
        this.#state = { t: 'idle' };
        this.#refuseWaiting(reason);
      },
    });
    this.#state = { t: 'connecting', close };
  }

  #expireWaiting(): void {
    if (this.#waiting.length === 0) return;
    const now = this.#clock.monotonicMs();
    for (const { atMs, resolve } of this.#waiting) if (atMs <= now) resolve(late);
    this.#waiting = this.#waiting.filter(({ atMs }) => atMs > now);
  }

  #refuseWaiting(reason: string): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const words = `no second connection to member ${this.#peer}: ${reason}`;
    for (const { resolve } of waiting) resolve({ outcome: 'not_sent', reason: words });
  }
}
