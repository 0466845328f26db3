import type { LeaseId } from '../contract/lease.ts';
import { decodeLeaderAnswer, encodeLeaderAnswer, type LeaderAnswer } from './leader-answer.ts';

/** What members ask the one that leads, which alone knows what time is left. */
export interface LeaseQuestion {
  readonly kind: 'keepAlive' | 'timeLeft';
  readonly id: LeaseId;
}

/** Of one lease: whole seconds, and milliseconds. */
export interface LeaseTime {
  readonly grantedTtl: number;
  readonly leftMs: number;
}

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

/** Its value: TTL in seconds and time left in ms (f64 each). */
export function encodeLeaseAnswer(answer: LeaderAnswer<LeaseTime>): Buffer {
  return encodeLeaderAnswer(answer, ({ grantedTtl, leftMs }) => {
    const value = Buffer.allocUnsafe(16);
    value.writeDoubleBE(grantedTtl, 0);
    value.writeDoubleBE(leftMs, 8);
    return value;
  });
}

/** Undefined if it is none. */
export function decodeLeaseAnswer(body: Uint8Array): LeaderAnswer<LeaseTime> | undefined {
  return decodeLeaderAnswer(body, (value) => {
    if (value.length !== 16) return undefined;
    const [grantedTtl, leftMs] = [value.readDoubleBE(0), value.readDoubleBE(8)];
    const isTime = Number.isFinite(grantedTtl) && Number.isFinite(leftMs) && grantedTtl >= 1 && leftMs >= 0;
    return isTime ? { grantedTtl, leftMs } : undefined;
  });
}
