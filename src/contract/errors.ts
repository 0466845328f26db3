/**
 * One row of the catalogue.
 *
 * - `title`: the same for every error of the code; what is particular stands in the error's `detail`.
 * - `httpStatus`: what the REST API answers.
 * - `grpcCode`, `etcdText`: what etcd's API answers (etcd `api/v3rpc/rpctypes/error.go`); clients map it back by its text.
 * - `retryable`: the same request can succeed later.
 * - `definite`: the operation certainly did not happen, so it may be sent again without harm.
 *
 * `docs/errors.md` says the same to users; a test compares the two.
 */
export interface ErrorKind {
  readonly title: string;
  readonly httpStatus: number;
  readonly grpcCode: GrpcCode;
  readonly etcdText: string;
  readonly retryable: boolean;
  readonly definite: boolean;
}

export type GrpcCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'FAILED_PRECONDITION'
  | 'OUT_OF_RANGE'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'UNIMPLEMENTED'
  | 'INTERNAL';

const catalogue = {
  bad_request: row('The request is not well formed', 400, 'INVALID_ARGUMENT', 'etcdserver: invalid request', {}),
  key_not_found: row('There is no such key', 404, 'INVALID_ARGUMENT', 'etcdserver: key not found', {}),
  lease_not_found: row('There is no such lease', 404, 'NOT_FOUND', 'etcdserver: requested lease not found', {}),
  lease_exists: row(
    'There is such a lease already',
    409,
    'FAILED_PRECONDITION',
    'etcdserver: lease already exists',
    {},
  ),
  member_not_found: row('There is no such member', 404, 'NOT_FOUND', 'etcdserver: member not found', {}),
  member_exists: row(
    'There is such a member already',
    409,
    'FAILED_PRECONDITION',
    'etcdserver: Peer URLs already exists',
    {},
  ),
  not_a_learner: row(
    'The member votes already',
    409,
    'FAILED_PRECONDITION',
    'etcdserver: can only promote a learner member',
    {},
  ),
  learner_behind: row(
    'The learner has not caught up',
    409,
    'FAILED_PRECONDITION',
    'etcdserver: can only promote a learner member which is in sync with leader',
    { retryable: true },
  ),
  quorum_at_risk: row(
    'Too few members would be left to decide',
    409,
    'FAILED_PRECONDITION',
    'etcdserver: re-configuration failed due to not enough started members',
    { retryable: true },
  ),
  change_in_progress: row(
    'Another change of members is under way',
    409,
    'UNAVAILABLE',
    'etcdserver: unhealthy cluster',
    { retryable: true },
  ),
  not_capable: row(
    'A member runs software that does not know that yet',
    409,
    'FAILED_PRECONDITION',
    'etcdserver: not capable',
    { retryable: true },
  ),
  bad_transferee: row(
    'That member cannot take over leadership',
    409,
    'FAILED_PRECONDITION',
    'etcdserver: bad leader transferee',
    {},
  ),
  not_found: row('There is no such resource', 404, 'UNIMPLEMENTED', 'etcdserver: not found', {}),
  method_not_allowed: row(
    'The resource does not have this method',
    405,
    'UNIMPLEMENTED',
    'etcdserver: unknown method',
    {},
  ),
  request_timeout: row('The request did not arrive in time', 408, 'DEADLINE_EXCEEDED', 'context deadline exceeded', {
    retryable: true,
  }),
  compacted: row(
    'That revision is no longer kept',
    410,
    'OUT_OF_RANGE',
    'etcdserver: mvcc: required revision has been compacted',
    {},
  ),
  precondition_failed: row(
    'The condition does not hold',
    412,
    'FAILED_PRECONDITION',
    'etcdserver: precondition failed',
    {},
  ),
  too_large: row('The request is too large', 413, 'INVALID_ARGUMENT', 'etcdserver: request is too large', {}),
  future_revision: row(
    'That revision is still to come',
    422,
    'OUT_OF_RANGE',
    'etcdserver: mvcc: required revision is a future revision',
    {},
  ),
  too_many_requests: row('The server has too much to do', 429, 'RESOURCE_EXHAUSTED', 'etcdserver: too many requests', {
    retryable: true,
  }),
  headers_too_large: row('The headers are too large', 431, 'INVALID_ARGUMENT', 'etcdserver: request is too large', {}),
  internal: row('The server failed', 500, 'INTERNAL', 'etcdserver: internal error', { definite: false }),
  no_leader: row('The cluster has no leader', 503, 'UNAVAILABLE', 'etcdserver: no leader', { retryable: true }),
  unavailable: row('The server cannot take requests now', 503, 'UNAVAILABLE', 'etcdserver: server stopped', {
    retryable: true,
  }),
  outcome_unknown: row(
    'It is not known whether the write happened',
    504,
    'UNAVAILABLE',
    'etcdserver: request timed out',
    {
      definite: false,
    },
  ),
  timeout: row(
    'The time for the request is up; it did not happen',
    504,
    'DEADLINE_EXCEEDED',
    'context deadline exceeded',
    {
      retryable: true,
    },
  ),
  no_space: row(
    'The space for data is used up',
    507,
    'RESOURCE_EXHAUSTED',
    'etcdserver: mvcc: database space exceeded',
    {},
  ),
} as const satisfies Record<string, ErrorKind>;

function row(
  title: string,
  httpStatus: number,
  grpcCode: GrpcCode,
  etcdText: string,
  flags: { retryable?: boolean; definite?: boolean },
): ErrorKind {
  return {
    title,
    httpStatus,
    grpcCode,
    etcdText,
    retryable: flags.retryable ?? false,
    definite: flags.definite ?? true,
  };
}

/** Stable names of everything that can go wrong for a client. A code is never given a second meaning. */
export type ErrorCode = keyof typeof catalogue;

export const errorCatalogue: Readonly<Record<ErrorCode, ErrorKind>> = catalogue;

/** Members of the answer beside code and detail, such as `parameter` of a `bad_request`. */
export type ErrorExtras = Readonly<Record<string, string | number | boolean | null>>;

/** An expected failure, told to the client. Test `code`, never the text. */
export class BalsaError extends Error {
  override readonly name = 'BalsaError';
  readonly code: ErrorCode;
  /** What happened and what to do about it. */
  readonly detail: string;
  readonly extras: ErrorExtras;

  constructor(code: ErrorCode, detail: string, options: { extras?: ErrorExtras; cause?: unknown } = {}) {
    super(`[${code}] ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = detail;
    this.extras = options.extras ?? {};
  }

  get kind(): ErrorKind {
    return errorCatalogue[this.code];
  }

  /**
   * A `BalsaError` stays as it is; anything else is a mistake of the server's and becomes `internal`, with the original
   * as its cause and without its text, which may hold what a client should not see.
   */
  static from(reason: unknown): BalsaError {
    if (reason instanceof BalsaError) return reason;
    return new BalsaError('internal', 'The server failed on this request; its log has the reason.', { cause: reason });
  }
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}
