import { BalsaError, isErrorCode } from '../contract/errors.ts';
import type { LeaseId } from '../contract/lease.ts';

/** What members ask the one that leads, which alone knows what time is left. */
export interface LeaseQuestion {
  readonly kind: 'keepAlive' | 'timeLeft';
  readonly id: LeaseId;
}

export type LeaseAnswer =
  | { readonly kind: 'time'; readonly grantedTtl: number; readonly leftMs: number }
  /** It does not lead, or cannot tell yet: another is to be asked, or it again. */
  | { readonly kind: 'notLeading' }
  | { readonly kind: 'failed'; readonly error: BalsaError };

/** Layout: kind (u8), time-out in ms (u32), lease id (u64). */
export function encodeLeaseQuestion({ kind, id }: LeaseQuestion, timeoutMs: number): Buffer {
  const body = Buffer.allocUnsafe(13);
  body[0] = kind === 'keepAlive' ? 1 : 2;
  body.writeUInt32BE(Math.min(0xffffffff, Math.ceil(timeoutMs)), 1);
  body.writeBigUInt64BE(id, 5);
  return body;
}

/** Undefined if it is none. */
export function decodeLeaseQuestion(
  body: Uint8Array,
): { readonly question: LeaseQuestion; readonly timeoutMs: number } | undefined {
  const kind = body[0] === 1 ? 'keepAlive' : 'timeLeft';
  if (body.length !== 13 || (body[0] !== 1 && body[0] !== 2)) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return { question: { kind, id: view.getBigUint64(5) }, timeoutMs: view.getUint32(1) };
}

/** Layout: 0; or 1, TTL in seconds and time left in ms (f64 each); or 2, code, NUL, detail. */
export function encodeLeaseAnswer(answer: LeaseAnswer): Buffer {
  switch (answer.kind) {
    case 'notLeading':
      return Buffer.of(0);
    case 'time': {
      const body = Buffer.allocUnsafe(17);
      body[0] = 1;
      body.writeDoubleBE(answer.grantedTtl, 1);
      body.writeDoubleBE(answer.leftMs, 9);
      return body;
    }
    case 'failed':
      return Buffer.concat([Buffer.of(2), Buffer.from(`${answer.error.code}\0${answer.error.detail}`, 'utf8')]);
  }
}

/** Undefined if it is none. */
export function decodeLeaseAnswer(body: Uint8Array): LeaseAnswer | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes[0] === 0) return { kind: 'notLeading' };
  if (bytes[0] === 1 && bytes.length === 17) {
    const [grantedTtl, leftMs] = [bytes.readDoubleBE(1), bytes.readDoubleBE(9)];
    const isTime = Number.isFinite(grantedTtl) && Number.isFinite(leftMs) && grantedTtl >= 1 && leftMs >= 0;
    return isTime ? { kind: 'time', grantedTtl, leftMs } : undefined;
  }
  const [code = '', ...detail] = bytes.toString('utf8', 1).split('\0');
  if (bytes[0] !== 2 || !isErrorCode(code)) return undefined;
  return { kind: 'failed', error: new BalsaError(code, detail.join('\0')) };
}
