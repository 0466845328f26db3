import { BalsaError } from '../../contract/errors.ts';

/**
 * Whatever a handler threw, as an error of the catalogue. Fastify's own errors about a request keep their text, which
 * is about what the client sent; anything else is the server's fault and says nothing about itself.
 */
export function requestError(reason: unknown): BalsaError {
  if (reason instanceof BalsaError) return reason;
  if (!isFastifyError(reason) || reason.statusCode >= 500) return BalsaError.from(reason);
  switch (reason.code) {
    case 'FST_ERR_BAD_URL':
      return new BalsaError('bad_request', 'The path has percent-encoding that is not UTF-8; only keys may have that.');
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new BalsaError('too_large', 'The body is too large for this request.', { cause: reason });
    default:
      return new BalsaError('bad_request', `${reason.message}.`, { cause: reason });
  }
}

function isFastifyError(reason: unknown): reason is Error & { readonly code: string; readonly statusCode: number } {
  return reason instanceof Error && 'statusCode' in reason && typeof reason.statusCode === 'number' && 'code' in reason;
}
