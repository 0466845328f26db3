import { BalsaError, type ErrorExtras, errorCatalogue, isErrorCode } from '../contract/errors.ts';
import type { Exchange } from './request.ts';

/** What became of a request that was not answered. */
export function lostExchange(
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
  if (request.repetition !== 'harmless') {
    return new BalsaError('outcome_unknown', `${endpoint} ${what}; ${adviceOnUnknown(request)}`, options);
  }
  return new BalsaError(time.isTimeUp ? 'timeout' : 'unavailable', `${endpoint} ${what}.`, options);
}

/** One error for all attempts; `failures` in the order in which they were made. */
export function conclusion(failures: readonly BalsaError[], request: Exchange, timeoutMs: number): BalsaError {
  const last = failures.at(-1);
  if (last === undefined) {
    return new BalsaError('timeout', `The time of ${timeoutMs} ms is too short to send a request.`);
  }
  if (failures.length === 1 || isDecidedInLog(last)) return last;
  const details = [...new Set(failures.map((failure) => failure.detail))].join(' ');
  const unknown = failures.findLast((failure) => !failure.kind.definite);
  if (unknown === undefined || request.repetition === 'harmless') {
    return isTransient(last) ? new BalsaError(last.code, details, { extras: last.extras, cause: last }) : last;
  }
  // A later attempt that certainly did not happen says nothing of an earlier one that perhaps did.
  return new BalsaError('outcome_unknown', `${details} In all, ${adviceOnUnknown(request)}`, {
    extras: unknown.extras,
    cause: last,
  });
}

/** Whether another endpoint, or the same one later, may well serve what this failure kept from being served. */
export function isTransient(failure: BalsaError): boolean {
  return failure.kind.retryable || failure.code === 'internal';
}

/** Members recognise an earlier attempt there, so that the answer is of all attempts together. */
function isDecidedInLog(failure: BalsaError): boolean {
  switch (failure.code) {
    case 'precondition_failed':
    case 'key_not_found':
    case 'lease_not_found':
    case 'lease_exists':
    case 'compacted':
    case 'future_revision':
      return true;
    default:
      return false;
  }
}

function adviceOnUnknown(request: Exchange): string {
  const how =
    request.repetition === 'recognized'
      ? 'Send it again with the same idempotency key to find out.'
      : (request.findOut ?? 'Read the key to find out.');
  return `the write may or may not have happened. ${how}`;
}

/** RFC 9457. An answer that is not Balsa's, such as a proxy's, becomes the code that fits its status. */
export function problemOf(endpoint: string, request: Exchange, response: Response, body: Uint8Array): BalsaError {
  const problem = response.headers.get('content-type')?.includes('json') ? parseObject(body) : undefined;
  const code = response.status >= 500 || request.method !== 'GET' ? 'internal' : 'bad_request';
  return errorOfProblem(problem) ?? notOfBalsa(endpoint, response, code);
}

export function notOfBalsa(endpoint: string, response: Response, code: 'internal' | 'bad_request'): BalsaError {
  return new BalsaError(
    code,
    `${endpoint} answered ${response.status} ${response.statusText}, which is not an answer of Balsa; check the address.`,
    { extras: { endpoint, status: response.status } },
  );
}

/** A problem object of the REST API; undefined if it is none. */
export function errorOfProblem(problem: unknown): BalsaError | undefined {
  if (typeof problem !== 'object' || problem === null) return undefined;
  const { type, title, status, detail, code, ...rest } = problem as Record<string, unknown>;
  if (typeof code !== 'string' || !isErrorCode(code)) return undefined;
  const extras = Object.fromEntries(Object.entries(rest).filter(isExtra));
  return new BalsaError(code, typeof detail === 'string' ? detail : errorCatalogue[code].title, { extras });
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

export function codeOf(reason: unknown): string {
  const cause = causeOf(reason);
  if (cause instanceof Error) return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
  return String(cause);
}

function isExtra(entry: [string, unknown]): entry is [string, ErrorExtras[string]] {
  return entry[1] === null || ['string', 'number', 'boolean'].includes(typeof entry[1]);
}

function parseObject(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
