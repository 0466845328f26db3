import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode, ErrorExtras } from '../contract/errors.ts';
import type { Refusal } from '../mvcc/index.ts';
import { compacted, futureRevision, refusalError } from './refusal-error.ts';

interface Expected {
  readonly figures: readonly number[];
  readonly code: ErrorCode;
  readonly extras: ErrorExtras;
}

/** Of every kind: a new one does not compile without a row. */
const expected: Readonly<Record<Refusal, Expected>> = {
  range_too_large: { figures: [123_456, 654_321], code: 'too_large', extras: {} },
  answer_too_large: { figures: [123_456], code: 'too_large', extras: {} },
  key_not_found: { figures: [], code: 'key_not_found', extras: {} },
  lease_not_found: { figures: [], code: 'lease_not_found', extras: {} },
  lease_exists: { figures: [], code: 'lease_exists', extras: {} },
  no_space: { figures: [123_456, 654_321], code: 'no_space', extras: {} },
  compacted: { figures: [40], code: 'compacted', extras: { compactRevision: 40 } },
  future_revision: { figures: [50], code: 'future_revision', extras: { revision: 50 } },
  token_reused: { figures: [], code: 'bad_request', extras: { parameter: 'Idempotency-Key' } },
  member_exists: { figures: [], code: 'member_exists', extras: {} },
  member_not_found: { figures: [], code: 'member_not_found', extras: {} },
  member_removed: { figures: [], code: 'member_exists', extras: {} },
  peer_url_taken: { figures: [], code: 'member_exists', extras: {} },
};

test('refusal: each has its error, which says that nothing was done, and names its figures', () => {
  for (const [refusal, { figures, code, extras }] of Object.entries(expected) as [Refusal, Expected][]) {
    const error = refusalError({ kind: 'refused', revision: 50, refusal, figures });
    assert.equal(error.code, code, refusal);
    assert.deepEqual(error.extras, extras, refusal);
    assert.equal(error.kind.definite, true, `${refusal}: it certainly did not happen`);
    for (const figure of figures) assert.match(error.detail, new RegExp(`\\b${figure}\\b`), refusal);
    assert.match(error.detail, /^[A-Z].*\.$/s, `${refusal}: a sentence`);
  }
});

test('refusal: one of an older member that came without its figures is an error all the same', () => {
  for (const [refusal, { code }] of Object.entries(expected) as [Refusal, Expected][]) {
    const error = refusalError({ kind: 'refused', revision: 50, refusal, figures: [] });
    assert.equal(error.code, code);
    assert.doesNotMatch(error.detail, /undefined|NaN/);
  }
});

test('refusal: of a read, as of a write', () => {
  const ofWrite = refusalError({ kind: 'refused', revision: 50, refusal: 'compacted', figures: [40] });
  assert.equal(compacted(40).message, ofWrite.message);
  const future = refusalError({ kind: 'refused', revision: 50, refusal: 'future_revision', figures: [50] });
  assert.equal(futureRevision(50).message, future.message);
});
