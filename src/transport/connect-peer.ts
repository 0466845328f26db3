import type { Socket } from 'node:net';
import type { CancelTimer, Clock } from '../base/clock.ts';
import type { Hello, Refused } from './codec.ts';
import { dial } from './dialer.ts';
import { OutboundConnection } from './outbound.ts';

/** From the first packet to the other side's hello: three round trips around the globe fit. */
const connectTimeoutMs = 2000;

export interface ConnectOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly frameBytesMax: number;
  readonly queueBytesMax: number;
  /** Made when the hello is due. */
  readonly hello: () => Hello;
  readonly objectionTo: (hello: Hello) => Refused | undefined;
}

export interface ConnectionEnd {
  /** One of the sides did not want the other, or it is no peer. */
  readonly refused: boolean;
  readonly reason: string;
  /** The last sign of life; -Infinity if there was none. */
  readonly aliveMs: number;
}

export interface ConnectEvents {
  /** Both sides have said hello. */
  onOpen(connection: OutboundConnection): void;
  /** There will be no connection. */
  onFailure(failure: ConnectionEnd): void;
  /** The open connection is gone. */
  onClose(end: ConnectionEnd): void;
  onTraffic(receivedBytes: number, sentBytes: number): void;
  onRoundTrip(durationMs: number): void;
  /** The peer's own words; `onFailure` or `onClose` follows. */
  onRefused(refusal: Refused): void;
}

/** One attempt. The returned function gives it up, or closes what came of it; nothing is called after it. */
export function connectPeer(options: ConnectOptions, events: ConnectEvents): (reason: string) => void {
  const { url, clock, frameBytesMax, queueBytesMax, objectionTo } = options;
  let done = false;
  let connection: OutboundConnection | undefined;
  let cancelTimeout = clock.setTimer(connectTimeoutMs, () => {
    giveUpDialing();
    fail(false, `${url} did not answer within ${connectTimeoutMs} ms`);
  });
  const giveUpDialing = dial(url, {
    onStream: greet,
    onFailure: (kind, reason) => fail(kind === 'refused', reason),
  });

  return (reason) => {
    done = true;
    cancelTimeout();
    if (connection === undefined) giveUpDialing();
    else connection.close(reason);
  };

  function greet(socket: Socket, head: Buffer): void {
    cancelTimeout();
    const hello = options.hello();
    let isOpen = false;
    let refused = false;
    const greeting = new OutboundConnection(
      socket,
      { clock, frameBytesMax, queueBytesMax, hello, objectionTo },
      {
        onOpen: () => {
          isOpen = true;
          cancelTimeout();
          if (!done) events.onOpen(greeting);
        },
        onTraffic: events.onTraffic,
        onRoundTrip: events.onRoundTrip,
        onRefused: (refusal, by) => {
          refused = true;
          if (by === 'peer' && !done) events.onRefused(refusal);
        },
        onClose: (reason) => {
          const end = { refused, reason, aliveMs: greeting.aliveMs };
          if (!isOpen) fail(refused, reason, greeting.aliveMs);
          else if (!done) events.onClose(end);
        },
      },
    );
    connection = greeting;
    cancelTimeout = helloTimer(greeting);
    greeting.start(head);
  }

  function helloTimer(greeting: OutboundConnection): CancelTimer {
    return clock.setTimer(connectTimeoutMs, () => greeting.close(`no hello came within ${connectTimeoutMs} ms`));
  }

  function fail(refused: boolean, reason: string, aliveMs = -Infinity): void {
    cancelTimeout();
    if (done) return;
    done = true;
    events.onFailure({ refused, reason, aliveMs });
  }
}
