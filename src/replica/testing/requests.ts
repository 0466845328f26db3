import assert from 'node:assert/strict';
import { BalsaError, type ErrorCode } from '../../contract/errors.ts';
import { prefixRange } from '../../contract/key-range.ts';
import type { GetAnswer, KeyRange, PutAnswer } from '../../contract/kv.ts';
import type { LeaseId } from '../../contract/lease.ts';
import type { TestMember } from './members.ts';

export const linearizable = { level: 'linearizable' } as const;
export const stale = { level: 'stale' } as const;

export interface TestPut {
  readonly lease?: LeaseId;
  readonly idempotencyKey?: string;
  readonly timeoutMs?: number;
}

export function put(member: TestMember, key: string, value: string, options: TestPut = {}): Promise<PutAnswer> {
  const { lease, idempotencyKey, timeoutMs = 5000 } = options;
  const request = { key: bytes(key), value: bytes(value), condition: undefined, previous: false };
  return member.kv.put(lease === undefined ? request : { ...request, lease }, { timeoutMs, idempotencyKey });
}

export function get(member: TestMember, key: string): Promise<GetAnswer> {
  return member.kv.get(bytes(key), { consistency: linearizable, timeoutMs: 5000 });
}

export async function assertFails(request: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(request, (reason) => {
    assert.ok(reason instanceof BalsaError, String(reason));
    assert.equal(reason.code, code, reason.detail);
    return true;
  });
}

/** Keys of a member's own state, whatever the others have. */
export async function keysOf({ store }: TestMember, range: KeyRange = prefixRange(bytes(''))): Promise<string[]> {
  const view = store.readView();
  try {
    const { kvs } = await view.page(range, { limit: 0, bytesMax: 1024 * 1024, keysOnly: true });
    return kvs.map(({ key }) => text(key));
  } finally {
    await view.close();
  }
}

export function bytes(from: string): Uint8Array {
  return Buffer.from(from);
}

export function text(from: Uint8Array): string {
  return Buffer.from(from).toString();
}
