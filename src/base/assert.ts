/** A broken invariant: a mistake in Balsa itself, never of a client or peer. The process logs it and stops. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Assertions are on in production: a member that contradicts itself must not go on acknowledging. */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new InvariantViolation(typeof message === 'string' ? message : message());
}

/** Ends an exhaustive `switch`: the compiler refuses it while a case is missing. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`unreachable: ${JSON.stringify(value)}`);
}
