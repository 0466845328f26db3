import type { CancelTimer, Clock } from '../../base/clock.ts';
import type { MemberId, Message } from '../../raft/index.ts';
import type { Peer, PeerAnswer, PeerRequest, PeerView, Receiver, Transport } from '../../transport/index.ts';

/**
 * A process that can be stopped for a while, as by SIGSTOP or a suspended machine. The clock goes on meanwhile: timers that
 * came due fire when it goes on, then what arrived is read. What was under way within it (its own disk) may still end.
 */
export class PausableProcess {
  #isPaused = false;
  #waiting: (() => void)[] = [];

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const run of this.#waiting.splice(0)) run();
  }

  /** Now, or when it goes on. */
  run(what: () => void): void {
    if (this.#isPaused) this.#waiting.push(what);
    else what();
  }

  clockOver(clock: Clock): Clock {
    return {
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (delayMs, callback) => this.#setTimer(clock, delayMs, callback),
      endOfTurn: (callback) => clock.endOfTurn(() => this.run(callback)),
      afterInput: (callback) => clock.afterInput(() => this.run(callback)),
    };
  }

  transportOver(transport: Transport): Transport {
    return new PausableTransport(this, transport);
  }

  #setTimer(clock: Clock, delayMs: number, callback: () => void): CancelTimer {
    let isCancelled = false;
    const cancel = clock.setTimer(delayMs, () => this.run(() => isCancelled || callback()));
    return () => {
      isCancelled = true;
      cancel();
    };
  }
}

class PausableTransport implements Transport {
  readonly #process: PausableProcess;
  readonly #transport: Transport;

  constructor(process: PausableProcess, transport: Transport) {
    this.#process = process;
    this.#transport = transport;
  }

  send(groupId: number, messages: readonly Message[]): void {
    this.#process.run(() => this.#transport.send(groupId, messages));
  }

  async request(to: MemberId, request: PeerRequest): Promise<PeerAnswer> {
    await this.#goesOn();
    const answer = await this.#transport.request(to, request);
    await this.#goesOn();
    return answer;
  }

  serve(groupId: number, receiver: Receiver): void {
    this.#transport.serve(groupId, {
      onMessages: (messages) => this.#process.run(() => receiver.onMessages(messages)),
      onRequest: async (from, request) => {
        await this.#goesOn();
        return receiver.onRequest(from, request);
      },
      onUnreachable: (member) => this.#process.run(() => receiver.onUnreachable(member)),
      onReachable: (member) => this.#process.run(() => receiver.onReachable(member)),
    });
  }

  setPeers(peers: readonly Peer[], removed: ReadonlySet<MemberId>): void {
    this.#process.run(() => this.#transport.setPeers(peers, removed));
  }

  peers(): readonly PeerView[] {
    return this.#transport.peers();
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  #goesOn(): Promise<void> {
    return new Promise((resolve) => this.#process.run(resolve));
  }
}
