import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { BalsaError } from '../contract/errors.ts';
import { keyRange } from '../contract/key-range.ts';
import { limits } from '../contract/kv.ts';
import { type PagedList, pageToken, readPageToken } from './page-token.ts';
import { TestMembers } from './testing/members.ts';
import { assertFails, bytes, linearizable, put, text } from './testing/requests.ts';

const longest = new Uint8Array(limits.keyBytesMax).fill(0xff);
const plain: PagedList = {
  revision: 7,
  range: { start: bytes('a'), end: bytes('b') },
  keysOnly: false,
  order: 'asc',
  bounds: undefined,
  count: 3,
};
const lists: readonly PagedList[] = [
  plain,
  { ...plain, range: { start: bytes(''), end: undefined } },
  { ...plain, range: { start: Buffer.from('00ff', 'hex'), end: Buffer.from('ff', 'hex') } },
  { ...plain, range: keyRange(longest), revision: Number.MAX_SAFE_INTEGER, count: Number.MAX_SAFE_INTEGER },
  { ...plain, keysOnly: true, order: 'desc', count: 0 },
  { ...plain, bounds: {} },
  { ...plain, bounds: { minModRevision: 0, maxModRevision: 9 } },
  { ...plain, bounds: { minCreateRevision: 1, maxCreateRevision: 2, minModRevision: 3, maxModRevision: 4 } },
];

test('page token: comes back as it was, whatever bytes the keys are', () => {
  for (const list of lists) {
    for (const next of [
      bytes('a1'),
      bytes(''),
      Buffer.from('ff00c3', 'hex'),
      longest,
      new Uint8Array([...longest, 0]),
    ]) {
      const token = pageToken(list, next);
      assert.match(token, /^[\w-]+$/, 'it goes into a URL as it is');
      const read = readPageToken(token);
      assert.deepEqual(hexed(read.list), hexed(list));
      assert.deepEqual(Buffer.from(read.next), Buffer.from(next));
    }
  }
});

test('page token: a key that is a view on a larger buffer is that key alone', () => {
  const around = Buffer.from('secret key secret');
  const { next } = readPageToken(pageToken(plain, around.subarray(7, 10)));
  assert.equal(text(next), 'key');
});

const parts = [1, 7, 'YQ', 'Yg', false, 'asc', null, 3, 'YTE'];

test('page token: the parts of the format', () => {
  assert.deepEqual(partsOf(pageToken(plain, bytes('a1'))), parts);
});

test('page token: what is none is refused, and the parameter named', () => {
  for (const token of ['', 'nonsense', '....', 'null', '%00', '[]'.repeat(1000)]) refused(token);
  for (const value of [null, 1, 'text', {}, [], [1], Array(9).fill(null), Array(9).fill(1)]) refused(encoded(value));
  refused(encoded([...parts, 'more']));
  refused(encoded(parts.slice(0, -1)));
  refused(Buffer.from(`${'['.repeat(100_000)}`).toString('base64url'));
});

test('page token: parts that cannot be are refused, each of them', () => {
  const wrong: readonly (readonly [at: number, values: readonly unknown[]])[] = [
    [0, [0, 2, '1', null]],
    [1, [0, -1, 1.5, 1e300, '7', null, [7]]],
    [2, [null, 1, {}, tooLong]],
    [3, [1, {}, [], tooLong]],
    [6, [1, 'text', { minModRevision: -1 }, { maxModRevision: 'x' }, { minCreateRevision: 0.5 }]],
    [7, [-1, 0.5, '3', null, 1e300]],
    [8, [null, 1, {}, tooLong]],
  ];
  for (const [at, values] of wrong) {
    for (const value of values) refused(encoded(parts.map((part, i) => (i === at ? value : part))));
  }
});

test('page token: strange names in it touch nothing', () => {
  const bounds = JSON.parse('{"__proto__": {"minModRevision": 5}, "constructor": 1, "maxModRevision": 9}') as unknown;
  const token = encoded(parts.map((part, i) => (i === 6 ? bounds : part)));
  const own = { ...readPageToken(token).list.bounds };
  assert.deepEqual(own, { maxModRevision: 9 });
  assert.equal('minModRevision' in {}, false);
});

test('page token: whatever a client makes of one, it gets a page or is refused', async () => {
  const seed = 23;
  const random = seededRandom(seed);
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  for (let i = 0; i < 10; i++) await members.settle(put(member, `key${i}`, `v${i}`));
  await members.settle(member.kv.compact(3, { timeoutMs: 1000 }));
  const request = {
    range: { start: bytes('k'), end: undefined },
    limit: 3,
    keysOnly: false,
    countOnly: false,
  } as const;
  const page = { ...request, sort: 'key', order: 'asc' } as const;
  const { next = '' } = await members.settle(member.kv.range(page, { consistency: linearizable, timeoutMs: 1000 }));
  const known = new Set(['bad_request', 'compacted', 'future_revision']);
  let pages = 0;
  for (let round = 0; round < 1000; round++) {
    const token = spoilt(random, next);
    try {
      await members.settle(member.kv.nextPage(token, { limit: 3, timeoutMs: 1000 }));
      pages++;
    } catch (reason) {
      const code = reason instanceof BalsaError ? reason.code : String(reason);
      assert.ok(known.has(code), `seed ${seed}, round ${round}: ${token} says ${code}`);
    }
  }
  assert.ok(pages > 10, `seed ${seed}: ${pages} pages`);
  assert.equal(member.store.openViews, 0);
  assert.deepEqual(member.failures, []);
});

test('page token: any member goes on with it', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  for (let i = 0; i < 6; i++) await members.settle(put(leader, `k${i}`, 'v'));
  const request = { range: { start: bytes('k'), end: undefined }, limit: 1, keysOnly: true, countOnly: false } as const;
  const options = { consistency: linearizable, timeoutMs: 1000 };
  let page = await members.settle(leader.kv.range({ ...request, sort: 'key', order: 'asc' }, options));
  const seen = page.kvs.map(({ key }) => text(key));
  for (let i = 0; page.next !== undefined; i++) {
    const member = members.all[i % 3];
    assert.ok(member);
    page = await members.settle(member.kv.nextPage(page.next, { limit: 1, timeoutMs: 1000 }));
    seen.push(...page.kvs.map(({ key }) => text(key)));
  }
  assert.deepEqual(seen, ['k0', 'k1', 'k2', 'k3', 'k4', 'k5']);
});

test('page token: of a revision that no member has yet is refused', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const token = pageToken({ ...plain, revision: 1000 }, bytes('a'));
  await assertFails(members.settle(leader.kv.nextPage(token, { limit: 1, timeoutMs: 1000 })), 'future_revision');
});

const tooLong = Buffer.alloc(limits.keyBytesMax + 2).toString('base64url');

/** Of what is in the token one part is another now, or some of its characters. */
function spoilt(random: ReturnType<typeof seededRandom>, token: string): string {
  if (random.below(3) === 0) {
    const characters = [...token];
    characters[random.below(characters.length)] = String.fromCharCode(32 + random.below(95));
    return characters.join('');
  }
  const values = [0, 1, 2, 5, 11, 12, null, true, '', 'YQ', '_w', 'a2V5Mw', 'asc', 'desc', {}, { minModRevision: 5 }];
  const spoiltParts = [...partsOf(token)];
  spoiltParts[random.below(spoiltParts.length)] = values[random.below(values.length)];
  return encoded(spoiltParts);
}

function refused(token: string): void {
  assert.throws(
    () => readPageToken(token),
    (reason) => {
      assert.ok(reason instanceof BalsaError, String(reason));
      assert.deepEqual([reason.code, reason.extras], ['bad_request', { parameter: 'after' }]);
      return true;
    },
    token.slice(0, 100),
  );
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function partsOf(token: string): readonly unknown[] {
  return JSON.parse(Buffer.from(token, 'base64url').toString()) as readonly unknown[];
}

function hexed({ range: { start, end }, ...rest }: PagedList): unknown {
  return { ...rest, start: Buffer.from(start).toString('hex'), end: end && Buffer.from(end).toString('hex') };
}
