/** An error of a socket in words. One that stands for the failures of several addresses has no words of its own. */
export function describeError(error: Error): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map((part: unknown) => (part instanceof Error ? part.message : String(part))).join('; ');
  }
  return error.message;
}
