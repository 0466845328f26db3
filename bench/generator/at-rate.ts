import { setTimeout as delay } from 'node:timers/promises';

/** A server that does not keep up would fill this process; what is late then shows as a rate that was not kept. */
const outstandingMax = 10_000;

export interface Pace {
  readonly perSecond: number;
  /** The most that are sent. */
  readonly max: number;
  readonly stop?: AbortSignal | undefined;
}

/**
 * Sends each request at its time, not when the one before is answered: a server that stalls is seen to stall. Ends after
 * `max` of them, or when `stop` is aborted, and when what is under way is answered; resolves with how many were sent.
 * `send` gets the number of the request and must not reject.
 */
export async function atRate(
  { perSecond, max, stop }: Pace,
  send: (request: number) => Promise<void>,
): Promise<number> {
  const start = performance.now();
  const underWay = new Set<Promise<void>>();
  const timeOf = (request: number): number => start + (request * 1000) / perSecond;
  let sent = 0;
  while (sent < max && stop?.aborted !== true) {
    // A timer takes a millisecond at least: at high rates several are due at once.
    for (; sent < max && timeOf(sent) <= performance.now() && underWay.size < outstandingMax; sent++) {
      const sending: Promise<void> = send(sent).finally(() => underWay.delete(sending));
      underWay.add(sending);
    }
    await delay(Math.max(1, timeOf(sent) - performance.now()));
  }
  await Promise.all(underWay);
  return sent;
}
