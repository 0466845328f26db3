import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { BalsaError, errorCatalogue, isErrorCode } from '../contract/errors.ts';
import type { LeaderAnswer } from './leader-answer.ts';
import {
  decodeLeaseAnswer,
  decodeLeaseQuestion,
  encodeLeaseAnswer,
  encodeLeaseQuestion,
  type LeaseTime,
} from './lease-question.ts';

test('lease question: comes back as it was, with ids that no number can hold', () => {
  for (const kind of ['keepAlive', 'timeLeft'] as const) {
    for (const id of [1n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
      const question = { kind, id };
      assert.deepEqual(decodeLeaseQuestion(encodeLeaseQuestion(question, 5000)), { question, timeoutMs: 5000 });
    }
  }
});

test('lease question: a part of a millisecond is rounded up, and too long a time-out is as long as can be', () => {
  const question = { kind: 'keepAlive', id: 1n } as const;
  assert.equal(decodeLeaseQuestion(encodeLeaseQuestion(question, 0.2))?.timeoutMs, 1);
  assert.equal(decodeLeaseQuestion(encodeLeaseQuestion(question, 1e12))?.timeoutMs, 0xffffffff);
});

test('lease question: the bytes of the format', () => {
  const hex = encodeLeaseQuestion({ kind: 'keepAlive', id: 0x0123456789abcdefn }, 5000).toString('hex');
  assert.equal(hex, '01000013880123456789abcdef');
  assert.equal(encodeLeaseAnswer({ kind: 'notLeading' }).toString('hex'), '00');
  const time = encodeLeaseAnswer({ kind: 'answered', value: { grantedTtl: 30, leftMs: 1500 } }).toString('hex');
  assert.equal(time, '01403e0000000000004097700000000000');
  const failed = encodeLeaseAnswer({ kind: 'failed', error: new BalsaError('timeout', 'late') }).toString('latin1');
  assert.equal(failed, '\u0002timeout\0late');
});

test('lease answer: comes back as it was', () => {
  same({ kind: 'notLeading' });
  for (const grantedTtl of [1, 30, 9_000_000_000]) {
    for (const leftMs of [0, 0.5, 1000 * grantedTtl]) same({ kind: 'answered', value: { grantedTtl, leftMs } });
  }
});

test('lease answer: every error of the catalogue comes back, with its words', () => {
  for (const code of Object.keys(errorCatalogue)) {
    assert.ok(isErrorCode(code));
    for (const detail of ['', 'There is no such lease.', 'with a \0 in it', 'ü €']) {
      const answer = decodeLeaseAnswer(encodeLeaseAnswer({ kind: 'failed', error: new BalsaError(code, detail) }));
      assert.ok(answer?.kind === 'failed');
      assert.deepEqual([answer.error.code, answer.error.detail], [code, detail]);
    }
  }
});

test('lease answer: times that cannot be are no answer', () => {
  const times = [
    [0, 0],
    [-1, 0],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 0],
    [30, -1],
    [30, Number.NaN],
    [30, Number.POSITIVE_INFINITY],
  ] as const;
  for (const [grantedTtl, leftMs] of times) {
    const body = encodeLeaseAnswer({ kind: 'answered', value: { grantedTtl, leftMs } });
    assert.equal(decodeLeaseAnswer(body), undefined, `${grantedTtl} s, ${leftMs} ms`);
  }
});

test('lease question and answer: whatever bytes come, they are what they say or nothing', () => {
  const seed = 17;
  const random = seededRandom(seed);
  let understood = 0;
  for (let round = 0; round < 20_000; round++) {
    const body = hostile(random);
    const message = `seed ${seed}, round ${round}: ${body.toString('hex')}`;
    const question = decodeLeaseQuestion(body);
    if (question !== undefined) {
      assert.deepEqual(encodeLeaseQuestion(question.question, question.timeoutMs), body, message);
    }
    const answer = decodeLeaseAnswer(body);
    if (answer?.kind === 'answered') assert.deepEqual(encodeLeaseAnswer(answer), body, message);
    if (answer?.kind === 'failed') assert.ok(isErrorCode(answer.error.code), message);
    if (question !== undefined || answer !== undefined) understood++;
  }
  assert.ok(understood > 1000 && understood < 19_000, `seed ${seed}: ${understood} were understood`);
});

function same(answer: LeaderAnswer<LeaseTime>): void {
  assert.deepEqual(decodeLeaseAnswer(encodeLeaseAnswer(answer)), answer);
}

/** Honest bytes, some of them changed, cut or too long; in a buffer that begins somewhere. */
function hostile(random: ReturnType<typeof seededRandom>): Buffer {
  const honest = [
    encodeLeaseQuestion({ kind: 'timeLeft', id: BigInt(random.below(2 ** 32)) }, random.below(10_000)),
    encodeLeaseAnswer({
      kind: 'answered',
      value: { grantedTtl: 1 + random.below(100), leftMs: random.below(100_000) },
    }),
    encodeLeaseAnswer({ kind: 'failed', error: new BalsaError('lease_not_found', 'none') }),
  ];
  const bytes = Buffer.from(honest[random.below(3)] as Buffer);
  const changes = random.below(3);
  for (let i = 0; i < changes; i++) bytes[random.below(bytes.length)] = random.below(256);
  const length = random.below(3) === 0 ? random.below(bytes.length + 1) : bytes.length;
  const around = Buffer.alloc(bytes.length + 20, random.below(256));
  const start = random.below(10);
  bytes.copy(around, start);
  return around.subarray(start, start + (random.below(10) === 0 ? length + random.below(5) : length));
}
