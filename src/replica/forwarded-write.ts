import { BalsaError, isErrorCode } from '../contract/errors.ts';
import { type CommandResult, decodeResult, encodeResult, MalformedBytes, UnknownFormat } from '../mvcc/index.ts';
import type { Term } from '../raft/index.ts';

/** How a write ended on the member that had it. */
export type WriteAnswer =
  | { readonly outcome: 'done'; readonly term: Term; readonly result: CommandResult }
  /** The member does not lead, and certainly did not execute it: it may be given to another. */
  | { readonly outcome: 'not_executed' }
  | { readonly outcome: 'failed'; readonly error: BalsaError };

const outcomeBytes = { done: 0, not_executed: 1, failed: 2 } as const;

/** Layout: time-out in ms (u32), command. */
export function encodeWriteRequest(command: Uint8Array, timeoutMs: number): Buffer {
  const body = Buffer.allocUnsafe(4 + command.length);
  body.writeUInt32BE(Math.min(0xffffffff, Math.ceil(timeoutMs)), 0);
  body.set(command, 4);
  return body;
}

/** `undefined` if it is not a request. */
export function decodeWriteRequest(body: Uint8Array): { command: Uint8Array; timeoutMs: number } | undefined {
  if (body.length <= 4) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return { timeoutMs: view.getUint32(0), command: body.subarray(4) };
}

/** Layout: outcome (u8); for `done` the term (f64, a whole number) and the result; for `failed` code, NUL, detail. */
export function encodeWriteAnswer(answer: WriteAnswer): Buffer {
  if (answer.outcome === 'not_executed') return Buffer.of(outcomeBytes.not_executed);
  if (answer.outcome === 'failed') {
    return Buffer.concat([
      Buffer.of(outcomeBytes.failed),
      Buffer.from(`${answer.error.code}\0${answer.error.detail}`, 'utf8'),
    ]);
  }
  const head = Buffer.allocUnsafe(9);
  head[0] = outcomeBytes.done;
  head.writeDoubleBE(answer.term, 1);
  return Buffer.concat([head, encodeResult(answer.result)]);
}

/** `undefined` if it is not an answer. */
export function decodeWriteAnswer(body: Uint8Array): WriteAnswer | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes[0] === outcomeBytes.not_executed) return { outcome: 'not_executed' };
  if (bytes[0] === outcomeBytes.failed) return decodeFailure(bytes.toString('utf8', 1));
  if (bytes[0] !== outcomeBytes.done || bytes.length < 9) return undefined;
  const term = bytes.readDoubleBE(1);
  const result = resultOf(bytes.subarray(9));
  if (!Number.isSafeInteger(term) || result === undefined) return undefined;
  return { outcome: 'done', term, result };
}

function resultOf(bytes: Uint8Array): CommandResult | undefined {
  try {
    return decodeResult(bytes);
  } catch (reason) {
    if (reason instanceof MalformedBytes || reason instanceof UnknownFormat) return undefined;
    throw reason;
  }
}

function decodeFailure(text: string): WriteAnswer | undefined {
  const end = text.indexOf('\0');
  const code = text.slice(0, end);
  if (end < 0 || !isErrorCode(code)) return undefined;
  return { outcome: 'failed', error: new BalsaError(code, text.slice(end + 1)) };
}
