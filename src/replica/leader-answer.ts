import { BalsaError, isErrorCode } from '../contract/errors.ts';

/** What the leader says to a question, or that it is not the one to be asked. */
export type LeaderAnswer<Value> =
  | { readonly kind: 'answered'; readonly value: Value }
  /** It does not lead, or cannot tell yet: nothing happened; another is to be asked, or it again. */
  | { readonly kind: 'notLeading' }
  | { readonly kind: 'failed'; readonly error: BalsaError };

/** Layout: 0; or 1 and the value; or 2, code, NUL, detail. */
export function encodeLeaderAnswer<Value>(answer: LeaderAnswer<Value>, encode: (value: Value) => Uint8Array): Buffer {
  switch (answer.kind) {
    case 'notLeading':
      return Buffer.of(0);
    case 'answered':
      return Buffer.concat([Buffer.of(1), encode(answer.value)]);
    case 'failed':
      return Buffer.concat([Buffer.of(2), Buffer.from(`${answer.error.code}\0${answer.error.detail}`, 'utf8')]);
  }
}

/** Undefined if it is none. */
export function decodeLeaderAnswer<Value>(
  body: Uint8Array,
  decode: (bytes: Buffer) => Value | undefined,
): LeaderAnswer<Value> | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes[0] === 0) return { kind: 'notLeading' };
  if (bytes[0] === 1) {
    const value = decode(bytes.subarray(1));
    return value === undefined ? undefined : { kind: 'answered', value };
  }
  const [code = '', ...detail] = bytes.toString('utf8', 1).split('\0');
  if (bytes[0] !== 2 || !isErrorCode(code)) return undefined;
  return { kind: 'failed', error: new BalsaError(code, detail.join('\0')) };
}
