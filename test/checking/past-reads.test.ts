import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyValue } from '../../src/contract/kv.ts';
import { PastStates } from './event-log.ts';
import { checkPastReads, type PastRead } from './past-reads.ts';

const a: KeyValue = { key: Buffer.from('a'), value: Buffer.from('1'), createRevision: 2, modRevision: 2, version: 1 };
const b: KeyValue = { key: Buffer.from('b'), value: Buffer.from('2'), createRevision: 3, modRevision: 3, version: 1 };
const put = (kv: KeyValue) =>
  ({ revision: kv.modRevision, events: [{ type: 'put', kv, previous: undefined }] }) as const;
const states = new PastStates({ revisions: [put(a), put(b)], revision: 3, compactRevision: 3 });

test('past reads: what is kept is told as it was, and what is compacted is refused as such', () => {
  check(undefined, read(2, [a]));
  check(undefined, read(3, [a, b], { compactedBefore: 3 }));
  check(undefined, read(3, [a], { isWhole: false }));
  check(undefined, read(1, []));
  check(undefined, refusal(2, { compactRevision: 3, requested: 3 }));
});

test('past reads: another state, and wrong refusals', () => {
  check(/told .* where there was/, read(2, [a, b]));
  check(/told .* where there was/, read(3, [a]));
  check(/told .* where there was/, read(2, [{ ...a, version: 2 }]));
  check(/answered although it was compacted/, read(2, [a], { compactedBefore: 3 }));
  check(/refused although only what is before 3 is gone/, refusal(3, { compactRevision: 3, requested: 3 }));
  check(/compacted at 4, and nobody asked beyond 3/, refusal(2, { compactRevision: 4, requested: 3 }));
  check(/refused as 422 future_revision/, refusal(3, { status: 422, code: 'future_revision' }));
});

function check(expected: RegExp | undefined, one: PastRead): void {
  const wrong = checkPastReads([one], states);
  if (expected === undefined) assert.equal(wrong, undefined);
  else assert.match(wrong ?? 'nothing', expected);
}

function read(revision: number, kvs: readonly KeyValue[], { compactedBefore = 0, isWhole = true } = {}): PastRead {
  return { revision, prefix: '', compactedBefore, told: { kind: 'kvs', kvs, isWhole } };
}

function refusal(
  revision: number,
  told: { status?: number; code?: string; compactRevision?: number; requested?: number },
) {
  const usual = { kind: 'refusal', status: 410, code: 'compacted', compactRevision: 0, requested: 0 } as const;
  return { revision, prefix: '', compactedBefore: 0, told: { ...usual, ...told } };
}
