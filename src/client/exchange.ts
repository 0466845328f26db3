import { BalsaError } from '../contract/errors.ts';
import { Backoff, pause } from './backoff.ts';
import { conclusion, isTransient, lostExchange, notOfBalsa, problemOf } from './failures.ts';
import type { Exchange } from './request.ts';
import { TimeUp, within } from './within.ts';

export interface Reply {
  readonly endpoint: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The expected error, if that was the answer. */
  readonly expected: BalsaError | undefined;
}

/** An answer that is read as it comes: one without an end, or one that is too large to be held. */
export interface OpenStream {
  readonly endpoint: string;
  readonly headers: Headers;
  /** The next bytes, once there are any. */
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  /** Ends the connection, and what is being read. Idempotent. */
  close(): void;
}

/** How long the server's own answer "timeout" may take to arrive before this side gives up without an answer. */
const graceMs = 1000;

/**
 * Sends requests to one endpoint, and to the next one only when that is safe: always if repeating is harmless or
 * recognized, else if it certainly did not happen (no connection was made, or the server said so). Another write that was
 * sent and not answered is `outcome_unknown`.
 */
export class Endpoints {
  readonly #urls: readonly string[];
  readonly #timeoutMs: number;
  /** The one that answered last goes first: an endpoint that is down costs one attempt, not one per request. */
  #first = 0;

  constructor(urls: readonly string[], timeoutMs: number) {
    this.#urls = urls;
    this.#timeoutMs = timeoutMs;
  }

  get urls(): readonly string[] {
    return this.#urls;
  }

  /** Milliseconds for a request that does not say otherwise. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  async exchange(request: Exchange): Promise<Reply> {
    const timeoutMs = request.timeoutMs ?? this.#timeoutMs;
    const deadline = performance.now() + timeoutMs;
    const failures: BalsaError[] = [];
    const backoff = new Backoff({ firstMs: 50, longestMs: 1000 });
    do {
      const reply = await this.#askInTurn(request, timeoutMs, deadline, failures);
      if (reply !== undefined) return reply;
      if (!isWorthAnotherRound(request, failures)) break;
      await pause(Math.min(backoff.next(), deadline - performance.now()), request.signal);
    } while (performance.now() < deadline);
    throw conclusion(failures, request, timeoutMs);
  }

  /**
   * Opens a stream, of the type that the request accepts, at the first endpoint that takes it. One that has just broken
   * is asked last.
   *
   * @throws BalsaError if no endpoint takes it within the time.
   */
  async open(request: Exchange, broken: string | undefined): Promise<OpenStream> {
    const timeoutMs = request.timeoutMs ?? this.#timeoutMs;
    const deadline = performance.now() + timeoutMs;
    const inOrder = this.#inOrder();
    const candidates = [
      ...inOrder.filter((endpoint) => endpoint !== broken),
      ...inOrder.filter((endpoint) => endpoint === broken),
    ];
    const failures: BalsaError[] = [];
    for (const [attempt, endpoint] of candidates.entries()) {
      const remainingMs = deadline - performance.now();
      if (remainingMs <= 0) break;
      try {
        return await openAt(endpoint, request, Math.ceil(remainingMs / (candidates.length - attempt)));
      } catch (reason) {
        if (!(reason instanceof BalsaError) || request.signal?.aborted || !isTransient(reason)) throw reason;
        failures.push(reason);
      }
    }
    throw conclusion(failures, request, timeoutMs);
  }

  /** The first reply; undefined if every endpoint failed in a way that another attempt could mend. */
  async #askInTurn(
    request: Exchange,
    timeoutMs: number,
    deadline: number,
    failures: BalsaError[],
  ): Promise<Reply | undefined> {
    const candidates = request.endpoint === undefined ? this.#inOrder() : [request.endpoint];
    for (const [attempt, endpoint] of candidates.entries()) {
      const remainingMs = deadline - performance.now();
      if (remainingMs <= 0) return undefined;
      // What may be repeated leaves time for the endpoints after this one; any other write has to be waited for.
      const endpointsLeft = request.repetition === 'unsafe' ? 1 : candidates.length - attempt;
      const attemptMs = Math.max(1, Math.ceil(remainingMs / endpointsLeft));
      try {
        const reply = await send(endpoint, request, attemptMs, endpointsLeft === 1 ? graceMs : 0);
        this.#first = Math.max(0, this.#urls.indexOf(endpoint));
        return reply;
      } catch (reason) {
        if (!(reason instanceof BalsaError)) throw reason;
        failures.push(reason);
        if (request.signal?.aborted || !mayTryNext(request, reason)) throw conclusion(failures, request, timeoutMs);
      }
    }
    return undefined;
  }

  #inOrder(): readonly string[] {
    return [...this.#urls.slice(this.#first), ...this.#urls.slice(0, this.#first)];
  }
}

function mayTryNext(request: Exchange, failure: BalsaError): boolean {
  switch (failure.code) {
    // Of this member, not of the request: another member may be connected to the leader.
    case 'unavailable':
    case 'no_leader':
    case 'timeout':
      return true;
    case 'outcome_unknown':
    case 'internal':
      return request.repetition !== 'unsafe';
    default:
      return false;
  }
}

/** A write that is recognized is repeated until it is known what became of it. */
function isWorthAnotherRound(request: Exchange, failures: readonly BalsaError[]): boolean {
  return (
    request.repetition === 'recognized' &&
    request.signal?.aborted !== true &&
    failures.some((failure) => !failure.kind.definite)
  );
}

async function send(endpoint: string, request: Exchange, timeoutMs: number, patienceMs: number): Promise<Reply> {
  const limits = { timeoutMs: timeoutMs + patienceMs, signal: request.signal };
  const { response, body } = await within(limits, async (signal) => {
    const response = await fetch(urlOf(endpoint, request, timeoutMs), { ...partsOf(request), signal });
    return { response, body: new Uint8Array(await response.arrayBuffer()) };
  }).catch((reason: unknown) => {
    throw lostExchange(endpoint, request, reason, { isTimeUp: reason instanceof TimeUp, timeoutMs });
  });
  const reply = { endpoint, status: response.status, headers: response.headers, body };
  if (response.ok || response.status === 304) return { ...reply, expected: undefined };
  const problem = problemOf(endpoint, request, response, body);
  if (problem.code !== request.expect) throw problem;
  return { ...reply, expected: problem };
}

/** The time is for the headers alone: the body takes as long as it takes. */
async function openAt(endpoint: string, request: Exchange, timeoutMs: number): Promise<OpenStream> {
  const limits = { timeoutMs: timeoutMs + graceMs, signal: request.signal };
  return within(limits, async (signal) => {
    const response = await fetch(urlOf(endpoint, request, timeoutMs), { ...partsOf(request), signal });
    if (!response.ok) throw problemOf(endpoint, request, response, new Uint8Array(await response.arrayBuffer()));
    const stream = streamOf(endpoint, request, response);
    // It came after all, and nobody waits for it any more.
    if (signal.aborted) stream.close();
    return stream;
  }).catch((reason: unknown) => {
    if (reason instanceof BalsaError) throw reason;
    throw lostExchange(endpoint, request, reason, { isTimeUp: reason instanceof TimeUp, timeoutMs });
  });
}

function streamOf(endpoint: string, request: Exchange, response: Response): OpenStream {
  const { headers } = response;
  const reader = response.body?.getReader();
  const close = (): void => {
    // It rejects if the connection has broken already.
    reader?.cancel().catch(() => undefined);
  };
  const type = headers.get('content-type')?.split(';')[0];
  if (reader !== undefined && type === request.headers?.['accept']) {
    return { endpoint, headers, read: () => reader.read(), close };
  }
  close();
  throw notOfBalsa(endpoint, response, 'bad_request');
}

function urlOf(endpoint: string, request: Exchange, timeoutMs: number): URL {
  const url = new URL(request.path, endpoint);
  // Built by hand: URLSearchParams would encode the percent signs of bytes that are not UTF-8.
  url.search = Object.entries({ ...request.query, timeout: `${timeoutMs}ms` })
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  return url;
}

function partsOf(request: Exchange): RequestInit {
  return {
    method: request.method,
    headers: request.headers ?? {},
    body: request.body ?? null,
    redirect: 'error',
  };
}
