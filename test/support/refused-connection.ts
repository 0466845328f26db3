/** True of what `fetch` throws when nobody listens there: the request certainly had no effect. */
export function isConnectionRefused(reason: unknown): boolean {
  const cause: unknown = reason instanceof Error ? reason.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ECONNREFUSED';
}
