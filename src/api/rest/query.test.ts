import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BalsaError } from '../../contract/errors.ts';
import { parameterSet } from './parameters.ts';
import { Query } from './query.ts';
import { consistencyOf, timeoutOf } from './read-options.ts';

const parameters = parameterSet(
  'timeout',
  'limit',
  'prefix',
  'prevKv',
  'sort',
  'exclude',
  'consistency',
  'maxStaleness',
  'revision',
  'lease',
);
const bounds = { defaultTimeoutMs: 5000, maxTimeoutMs: 60_000 };

function parse(text: string): Query {
  return Query.parse(text, parameters);
}

function checkRefused(read: () => unknown, parameter: string): void {
  assert.throws(read, (error) => {
    assert.ok(error instanceof BalsaError);
    assert.equal(error.code, 'bad_request');
    assert.equal(error.extras['parameter'], parameter);
    return true;
  });
}

test('query: an unknown parameter is refused by its name, and the known ones are listed', () => {
  checkRefused(() => parse('limt=5'), 'limt');
  assert.throws(() => parse('limt=5'), /timeout, limit, prefix/);
  checkRefused(() => parse('Limit=5'), 'Limit');
  checkRefused(() => parse('__proto__=5'), '__proto__');
});

test('query: a repeated parameter is refused, except where several make sense', () => {
  checkRefused(() => parse('limit=5&limit=6'), 'limit');
  assert.deepEqual(parse('exclude=a&exclude=b').texts('exclude'), ['a', 'b']);
});

test('query: empty pairs count for nothing', () => assert.equal(parse('&limit=5&').count('limit'), 5));

test('query: bytes: percent-decoded, and a plus is a space', () => {
  assert.equal(parse('prefix=a+b%2B%FF').bytes('prefix')?.toString('hex'), '6120622bff');
  assert.equal(parse('prefix=').bytes('prefix')?.length, 0);
  assert.equal(parse('').bytes('prefix'), undefined);
  checkRefused(() => parse('prefix=%4').bytes('prefix'), 'prefix');
});

test('query: flag: true, false, or the name alone', () => {
  assert.equal(parse('prevKv').flag('prevKv'), true);
  assert.equal(parse('prevKv=true').flag('prevKv'), true);
  assert.equal(parse('prevKv=false').flag('prevKv'), false);
  assert.equal(parse('').flag('prevKv'), false);
  for (const value of ['1', 'yes', 'TRUE', 'true '])
    checkRefused(() => parse(`prevKv=${value}`).flag('prevKv'), 'prevKv');
});

test('query: limit: a whole number from 1 to 10000', () => {
  assert.equal(parse('limit=1').count('limit'), 1);
  assert.equal(parse('limit=10000').count('limit'), 10_000);
  for (const value of ['0', '-1', '10001', '1.5', '1e3', '', 'all', '0x10', '99999999999999999999']) {
    checkRefused(() => parse(`limit=${value}`).count('limit'), 'limit');
  }
});

test('query: revision: a whole number from 1 to 2^53 - 1', () => {
  assert.equal(parse('revision=9007199254740991').count('revision'), Number.MAX_SAFE_INTEGER);
  for (const value of ['0', '-1', '9007199254740992', '99999999999999999999', '1e3', '0x1', '']) {
    checkRefused(() => parse(`revision=${value}`).count('revision'), 'revision');
  }
});

test('query: lease: up to 16 hexadecimal digits, of either case', () => {
  assert.equal(parse('lease=00000000000000aF').lease(), 0xafn);
  assert.equal(parse('').lease(), undefined);
  for (const value of ['0', '', 'g', '0x1', '10000000000000000', '8000000000000000']) {
    checkRefused(() => parse(`lease=${value}`).lease(), 'lease');
  }
});

test('query: timeout: a number with its unit', () => {
  const timeout = (text: string): number => timeoutOf(parse(text), bounds);
  assert.equal(timeout(''), 5000);
  assert.equal(timeout('timeout=500ms'), 500);
  assert.equal(timeout('timeout=1.5s'), 1500);
  assert.equal(timeout('timeout=1m'), 60_000);
  for (const value of ['5', '', '-5s', '5S', '5 s', '5s5', '0ms', '0s', '61s', '2m', '1h', 'Infinity', '1e3s', '.5s']) {
    checkRefused(() => timeout(`timeout=${value}`), 'timeout');
  }
});

test('query: consistency: linearizable unless it says otherwise', () => {
  assert.deepEqual(consistencyOf(parse('')), { level: 'linearizable' });
  assert.deepEqual(consistencyOf(parse('consistency=stale')), { level: 'stale' });
  const bounded = consistencyOf(parse('consistency=bounded&maxStaleness=500ms'));
  assert.deepEqual(bounded, { level: 'bounded', maxStalenessMs: 500 });
  checkRefused(() => consistencyOf(parse('consistency=strong')), 'consistency');
  checkRefused(() => consistencyOf(parse('consistency=bounded')), 'maxStaleness');
  checkRefused(() => consistencyOf(parse('consistency=bounded&maxStaleness=soon')), 'maxStaleness');
  checkRefused(() => consistencyOf(parse('maxStaleness=1s')), 'maxStaleness');
});

test('query: error texts are one short line, whatever was sent', () => {
  const long = 'x'.repeat(10_000);
  for (const text of [`${long}=1`, `limit=${long}`, 'limit=%0A%0D%00']) {
    assert.throws(
      () => parse(text).count('limit'),
      (error) => error instanceof BalsaError && error.detail.length < 250 && !/[\n\r\0]/.test(error.detail),
    );
  }
});
