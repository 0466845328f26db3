import { BalsaError, type ErrorCode, type ErrorExtras, errorCatalogue, isErrorCode } from '../contract/errors.ts';

/** One request as the client sends it, to whichever endpoint takes it. */
export interface Exchange {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Milliseconds for all attempts together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** An answer with this error code is returned and not thrown. */
  readonly expect?: ErrorCode;
  /** The only endpoint that can answer, such as the one that has begun a list of pages. */
  readonly endpoint?: string | undefined;
}

export interface Reply {
  readonly endpoint: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The expected error, if that was the answer. */
  readonly expected: BalsaError | undefined;
}

/** How long the server's own answer "timeout" may take to arrive before this side gives up without an answer. */
const graceMs = 1000;

/**
 * Sends requests to one endpoint, and to the next one only when that is safe: a read always, a write if it certainly did
 * not happen (no connection was made, or the server said so). A write that was sent and not answered is
 * `outcome_unknown`: sending it again could do it twice, or undo what another client did since.
 */
export class Endpoints {
  readonly #urls: readonly string[];
  /** The one that answered last goes first: an endpoint that is down costs one attempt, not one per request. */
  #first = 0;

  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  get urls(): readonly string[] {
    return this.#urls;
  }

  async exchange(request: Exchange): Promise<Reply> {
    const deadline = performance.now() + request.timeoutMs;
    const candidates = request.endpoint === undefined ? this.#inOrder() : [request.endpoint];
    const failures: BalsaError[] = [];
    for (const [attempt, endpoint] of candidates.entries()) {
      const remainingMs = deadline - performance.now();
      if (remainingMs <= 0) break;
      // A read leaves time for the endpoints after this one; a write that was sent has to be waited for.
      const endpointsLeft = request.method === 'GET' ? candidates.length - attempt : 1;
      const timeoutMs = Math.max(1, Math.ceil(remainingMs / endpointsLeft));
      try {
        const reply = await send(endpoint, request, timeoutMs, endpointsLeft === 1 ? graceMs : 0);
        this.#first = Math.max(0, this.#urls.indexOf(endpoint));
        return reply;
      } catch (reason) {
        if (!(reason instanceof BalsaError) || request.signal?.aborted || !mayTryNext(request, reason)) throw reason;
        failures.push(reason);
      }
    }
    throw summary(failures, request);
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
      return request.method === 'GET';
    default:
      return false;
  }
}

function summary(failures: readonly BalsaError[], request: Exchange): BalsaError {
  const last = failures.at(-1);
  if (last === undefined)
    return new BalsaError('timeout', `The time of ${request.timeoutMs} ms is too short to send a request.`);
  if (failures.length === 1) return last;
  const details = [...new Set(failures.map((failure) => failure.detail))].join(' ');
  return new BalsaError(last.code, details, { extras: last.extras, cause: last });
}

async function send(endpoint: string, request: Exchange, timeoutMs: number, patienceMs: number): Promise<Reply> {
  const url = new URL(request.path, endpoint);
  // Built by hand: URLSearchParams would encode the percent signs of bytes that are not UTF-8.
  const query = { ...request.query, timeout: `${timeoutMs}ms` };
  url.search = Object.entries(query)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');

  const timeUp = AbortSignal.timeout(timeoutMs + patienceMs);
  const signal = request.signal === undefined ? timeUp : AbortSignal.any([timeUp, request.signal]);
  let response: Response;
  let body: Uint8Array;
  try {
    response = await fetch(url, {
      method: request.method,
      headers: request.headers ?? {},
      body: request.body ?? null,
      signal,
      redirect: 'error',
    });
    body = new Uint8Array(await response.arrayBuffer());
  } catch (reason) {
    throw lostExchange(endpoint, request, reason, { isTimeUp: timeUp.aborted, timeoutMs });
  }
  const reply = { endpoint, status: response.status, headers: response.headers, body };
  if (response.ok || response.status === 304) return { ...reply, expected: undefined };
  const problem = problemOf(endpoint, request, response, body);
  if (problem.code !== request.expect) throw problem;
  return { ...reply, expected: problem };
}

function lostExchange(
  endpoint: string,
  request: Exchange,
  reason: unknown,
  time: { readonly isTimeUp: boolean; readonly timeoutMs: number },
): BalsaError {
  const options = { extras: { endpoint }, cause: reason };
  if (wasNeverSent(reason)) {
    return new BalsaError(
      'unavailable',
      `Cannot connect to ${endpoint} (${codeOf(reason)}); check that it runs and that the address is right.`,
      options,
    );
  }
  const what = time.isTimeUp
    ? `did not answer within ${time.timeoutMs} ms`
    : `broke the connection (${codeOf(reason)})`;
  if (request.method !== 'GET') {
    return new BalsaError(
      'outcome_unknown',
      `${endpoint} ${what}; the write may or may not have happened. Read the key to find out.`,
      options,
    );
  }
  if (time.isTimeUp) return new BalsaError('timeout', `${endpoint} ${what}.`, options);
  return new BalsaError('unavailable', `${endpoint} ${what}.`, options);
}

/** Only a failure to look up the host or to connect proves that no byte of the request left. */
function wasNeverSent(reason: unknown): boolean {
  const cause = causeOf(reason);
  if (cause instanceof AggregateError) return cause.errors.length > 0 && cause.errors.every(isConnectFailure);
  return isConnectFailure(cause);
}

function isConnectFailure(reason: unknown): boolean {
  if (!(reason instanceof Error)) return false;
  if ('code' in reason && reason.code === 'UND_ERR_CONNECT_TIMEOUT') return true;
  return 'syscall' in reason && (reason.syscall === 'connect' || reason.syscall === 'getaddrinfo');
}

/** `fetch` rejects with "fetch failed" and keeps the reason in `cause`. */
function causeOf(reason: unknown): unknown {
  return reason instanceof TypeError && reason.cause !== undefined ? reason.cause : reason;
}

function codeOf(reason: unknown): string {
  const cause = causeOf(reason);
  if (cause instanceof Error) return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
  return String(cause);
}

/** RFC 9457. An answer that is not Balsa's, such as a proxy's, becomes the code that fits its status. */
function problemOf(endpoint: string, request: Exchange, response: Response, body: Uint8Array): BalsaError {
  const problem = response.headers.get('content-type')?.includes('json') ? parseObject(body) : undefined;
  if (problem !== undefined && typeof problem['code'] === 'string' && isErrorCode(problem['code'])) {
    const { type, title, status, detail, code, ...rest } = problem;
    const extras = Object.fromEntries(Object.entries(rest).filter(isExtra));
    return new BalsaError(
      code as ErrorCode,
      typeof detail === 'string' ? detail : errorCatalogue[code as ErrorCode].title,
      { extras },
    );
  }
  const code = response.status >= 500 || request.method !== 'GET' ? 'internal' : 'bad_request';
  return new BalsaError(
    code,
    `${endpoint} answered ${response.status} ${response.statusText}, which is not an answer of Balsa; check the address.`,
    {
      extras: { endpoint, status: response.status },
    },
  );
}

function isExtra(entry: [string, unknown]): entry is [string, ErrorExtras[string]] {
  return entry[1] === null || ['string', 'number', 'boolean'].includes(typeof entry[1]);
}

function parseObject(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
