import { BalsaError, type GrpcCode } from '../../contract/errors.ts';

/** gRPC's codes (`google/rpc/code.proto`) and the HTTP status that the gateway answers with. */
const codes = {
  OK: [0, 200],
  CANCELLED: [1, 499],
  UNKNOWN: [2, 500],
  INVALID_ARGUMENT: [3, 400],
  DEADLINE_EXCEEDED: [4, 504],
  NOT_FOUND: [5, 404],
  ALREADY_EXISTS: [6, 409],
  PERMISSION_DENIED: [7, 403],
  RESOURCE_EXHAUSTED: [8, 429],
  FAILED_PRECONDITION: [9, 400],
  OUT_OF_RANGE: [11, 400],
  UNIMPLEMENTED: [12, 501],
  INTERNAL: [13, 500],
  UNAVAILABLE: [14, 503],
  UNAUTHENTICATED: [16, 401],
} as const satisfies Record<GrpcCode, readonly [number, number]> & Record<string, readonly [number, number]>;

export type StatusCode = keyof typeof codes;

/**
 * How a call ended, if not well. Etcd's clients map errors back by their text, so it is etcd's, byte for byte (`api/v3rpc/rpctypes/error.go`).
 */
export class EtcdError extends Error {
  override readonly name = 'EtcdError';
  readonly code: StatusCode;

  constructor(code: StatusCode, text: string, options?: ErrorOptions) {
    super(text, options);
    this.code = code;
  }

  get number(): number {
    return codes[this.code][0];
  }

  get httpStatus(): number {
    return codes[this.code][1];
  }

  /** As etcd tells it. The reason of an error of our own mistake is its `cause`. */
  static from(reason: unknown): EtcdError {
    if (reason instanceof EtcdError) return reason;
    const error = BalsaError.from(reason);
    return new EtcdError(error.kind.grpcCode, textOf(error), { cause: error });
  }
}

/** Etcd has no words for some of what can be wrong: those of our own then say what to do. */
function textOf(error: BalsaError): string {
  const { rule } = error.extras;
  if (rule === 'duplicate_key') return 'etcdserver: duplicate key given in txn request';
  if (rule === 'too_many_operations') return 'etcdserver: too many operations in txn request';
  return error.code === 'bad_request' ? `etcdserver: ${error.detail}` : error.kind.etcdText;
}

const invalid = (text: string) => () => new EtcdError('INVALID_ARGUMENT', `etcdserver: ${text}`);

/** What this skin finds by itself. */
export const etcdErrors = {
  emptyKey: invalid('key is not provided'),
  keyNotFound: invalid('key not found'),
  valueProvided: invalid('value is provided'),
  leaseProvided: invalid('lease is provided'),
  tooManyOps: invalid('too many operations in txn request'),
  invalidSortOption: invalid('invalid sort option'),
  requestTooLarge: invalid('request is too large'),
  compacted: () => new EtcdError('OUT_OF_RANGE', 'etcdserver: mvcc: required revision has been compacted'),
  leaseTtlTooLarge: () => new EtcdError('OUT_OF_RANGE', 'etcdserver: too large lease TTL'),
  leaseNotFound: () => new EtcdError('NOT_FOUND', 'etcdserver: requested lease not found'),
  badMemberUrls: invalid('given member URLs are invalid'),
  noLeader: () => new EtcdError('UNAVAILABLE', 'etcdserver: no leader'),
  stopped: () => new EtcdError('UNAVAILABLE', 'etcdserver: server stopped'),
  tooManyRequests: () => new EtcdError('RESOURCE_EXHAUSTED', 'etcdserver: too many requests'),
  authNotEnabled: () => new EtcdError('FAILED_PRECONDITION', 'etcdserver: authentication is not enabled'),
  notBuilt: (what: string) =>
    new EtcdError('UNIMPLEMENTED', `etcdserver: ${what} is not there in this version of Balsa`),
} as const;
