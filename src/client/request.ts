import type { ErrorCode } from '../contract/errors.ts';
import type { RequestOptions } from './options.ts';

/**
 * What it would do to send a request again that may have been received.
 *
 * - `harmless`: nothing; it is a read, or renews a lease.
 * - `recognized`: nothing, because members know the write again by its idempotency key.
 * - `unsafe`: it could write twice, or undo what another client did since.
 */
export type Repetition = 'harmless' | 'recognized' | 'unsafe';

/** One request as the client sends it, to whichever endpoint takes it. */
export interface Exchange {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly repetition: Repetition;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Milliseconds for all attempts together; undefined: the client's own. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** An answer with this error code is returned and not thrown. */
  readonly expect?: ErrorCode;
  /** What to do to learn what became of it, where that is not to read the key. */
  readonly findOut?: string;
  /** The only endpoint that is asked, such as the one whose own state is wanted. */
  readonly endpoint?: string | undefined;
}

/** The members of an exchange that every method takes from its caller. */
export function limitsOf({ timeoutMs, signal }: RequestOptions): Pick<Exchange, 'timeoutMs' | 'signal'> {
  return { timeoutMs, signal };
}
