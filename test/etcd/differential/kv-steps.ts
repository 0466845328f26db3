import { compact, del, put, range } from './methods.ts';
import type { Difference, Step } from './step.ts';

export const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const zero = bytes('\0');
const all = { key: zero, rangeEnd: zero };
const cutFirst: Difference = {
  reason:
    'without an order etcd takes the first keys up to the limit and sorts these; Balsa sorts all, as with an order',
  isSometimesSame: true,
};
export const ties: Difference = {
  reason: 'etcd leaves the order of what is equal to an unstable sort; in Balsa DESCEND is ASCEND backwards',
  isSometimesSame: true,
};
const prefix = { key: bytes('k/'), rangeEnd: bytes('k0') };

/** Puts, deletions, every option of a range in every combination that matters, the past, compaction, and what is refused. */
export function kvSteps(): readonly Step[] {
  return [...puts(), ...ranges(), ...past(), ...refusedRanges(), ...deletions(), ...compactions()];
}

function puts(): Step[] {
  const key = bytes('k/a');
  return [
    range('an empty store', all),
    put('the first', { key, value: bytes('5') }),
    put('again', { key, value: bytes('4') }),
    put('again, with what was there', { key, value: bytes('3'), prevKv: true }),
    put('another', { key: bytes('k/b'), value: bytes('9'), prevKv: true }),
    put('an empty value', { key: bytes('k/c') }),
    put('bytes that are no text', { key: bytes('k/\xff\x00\xfe'), value: bytes('\x00\xff\xc3\x28') }),
    put('many', { key: bytes('k/d'), value: Buffer.alloc(10_000, 'x') }),
    put('outside of the prefix', { key: bytes('other'), value: bytes('1') }),
    put('a zero byte', { key: zero, value: bytes('zero') }),
    put('the value stays', { key: bytes('k/b'), ignoreValue: true, prevKv: true }),
    put('the lease stays', { key: bytes('k/b'), value: bytes('7'), ignoreLease: true }),
    put('both stay', { key: bytes('k/b'), ignoreValue: true, ignoreLease: true }),
    put('without a key', { value: bytes('v') }),
    put('a value, and the value stays', { key, value: bytes('v'), ignoreValue: true }),
    put('a lease, and the lease stays', { key, value: bytes('v'), lease: 7, ignoreLease: true }),
    put('the value of an absent key stays', { key: bytes('absent'), ignoreValue: true }),
    put('the lease of an absent key stays', { key: bytes('absent'), value: bytes('v'), ignoreLease: true }),
    put('a lease that is not there', { key, value: bytes('v'), lease: 424242 }),
    put('a lease that is not there, for an absent key that stays', {
      key: bytes('no'),
      lease: 4242,
      ignoreValue: true,
    }),
    put('a lease with a negative id', { key, value: bytes('v'), lease: -5 }),
    put('a value that is too large', { key, value: Buffer.alloc(1_600_000) }),
  ];
}

function ranges(): Step[] {
  const steps = [
    range('one key', { key: bytes('k/a') }),
    range('an absent key', { key: bytes('absent') }),
    range('one key, keys only', { key: bytes('k/a'), keysOnly: true }),
    range('one key, count only', { key: bytes('k/a'), countOnly: true }),
    range('an absent key, count only', { key: bytes('absent'), countOnly: true }),
    range('one key, stale', { key: bytes('k/a'), serializable: true }),
    range('one key, limit 1', { key: bytes('k/a'), limit: 1 }),
    range('everything', all),
    range('everything, count only', { ...all, countOnly: true }),
    range('from a key on', { key: bytes('k/c'), rangeEnd: zero }),
    range('the range ends where it begins', { key: bytes('k/c'), rangeEnd: bytes('k/c') }),
    range('the range ends before it begins', { key: bytes('k/c'), rangeEnd: bytes('k/a') }),
    range('the range is one key', { key: bytes('k/a'), rangeEnd: bytes('k/a\0') }),
    range('both keys only and count only', { ...prefix, keysOnly: true, countOnly: true }),
    range('a negative limit', { ...prefix, limit: -3 }),
    range('a huge limit', { ...prefix, limit: 2n ** 62n }),
    range('count only, with a limit', { ...prefix, countOnly: true, limit: 2 }),
  ];
  for (const sortOrder of [0, 1, 2]) {
    for (const sortTarget of [0, 1, 2, 3, 4]) {
      const order = { ...prefix, sortOrder, sortTarget };
      const differs = sortOrder === 0 && sortTarget !== 0 ? cutFirst : sortOrder === 2 ? ties : undefined;
      const options = differs === undefined ? {} : { differs };
      const name = `order ${sortOrder}, target ${sortTarget}`;
      for (const limit of [0, 2, 5]) steps.push(range(`${name}, limit ${limit}`, { ...order, limit }, options));
      steps.push(range(`${name}, keys only`, { ...order, limit: 3, keysOnly: true }, options));
    }
  }
  for (const revision of [1, 3, 5, 8, -4]) {
    for (const bound of ['minModRevision', 'maxModRevision', 'minCreateRevision', 'maxCreateRevision'] as const) {
      steps.push(range(`${bound} ${revision}`, { ...prefix, [bound]: revision }));
      steps.push(range(`${bound} ${revision}, limit 2`, { ...prefix, [bound]: revision, limit: 2 }));
    }
  }
  steps.push(
    range('bounds of both sides', { ...prefix, minModRevision: 4, maxModRevision: 6, sortOrder: 2 }),
    range('bounds that nothing fulfils', { ...prefix, minModRevision: 6, maxModRevision: 4 }),
    range('a bound of one key', { key: bytes('k/a'), minModRevision: 1000 }),
    range('a bound, count only', { ...prefix, minModRevision: 1000, countOnly: true }),
  );
  return steps;
}

function past(): Step[] {
  const steps = [];
  for (let revision = 1; revision <= 8; revision++) {
    steps.push(range(`at revision ${revision}`, { ...prefix, revision }));
    steps.push(range(`one key at revision ${revision}`, { key: bytes('k/a'), revision }));
    steps.push(
      range(`at revision ${revision}, sorted and cut`, { ...prefix, revision, sortOrder: 2, sortTarget: 3, limit: 2 }),
    );
  }
  return [
    ...steps,
    range('at a revision to come', { ...prefix, revision: 100_000 }),
    range('one key at a revision to come', { key: bytes('k/a'), revision: 100_000 }),
    range('at the largest revision', { ...prefix, revision: 2n ** 63n - 1n }),
    range('at a negative revision', { ...prefix, revision: -7 }),
    range('count at a revision', { ...prefix, revision: 4, countOnly: true }),
  ];
}

function refusedRanges(): Step[] {
  const invalid = {
    reason: 'etcd checks the sort options since 3.5; 3.4 takes every number',
    error: 'etcdserver: invalid sort option',
  };
  return [
    range('without a key', {}),
    range('without a key, with an end', { rangeEnd: zero }),
    range('an order that does not exist', { ...prefix, sortOrder: 9 }, { differs: invalid }),
    // A target that does not exist ends the process of etcd 3.4 ("unexpected sort target").
  ];
}

function deletions(): Step[] {
  return [
    del('without a key', {}),
    del('an absent key', { key: bytes('absent'), prevKv: true }),
    del('one key', { key: bytes('other') }),
    del('one key, with what was there', { key: bytes('k/c'), prevKv: true }),
    put('it comes back', { key: bytes('k/c'), value: bytes('again') }),
    range('its version is 1', { key: bytes('k/c') }),
    del('an empty range', { key: bytes('k/c'), rangeEnd: bytes('k/a'), prevKv: true }),
    del('a range, with what was there', { key: bytes('k/c'), rangeEnd: bytes('k/e'), prevKv: true }),
    range('what is left', all),
    del('from a key on', { key: bytes('k/\xff'), rangeEnd: zero }),
    del('a range without keys', { key: bytes('zzz'), rangeEnd: bytes('zzzz') }),
    range('what is left now', all),
  ];
}

function compactions(): Step[] {
  return [
    compact('a revision to come', { revision: 100_000 }),
    compact('in the midst', { revision: 8 }),
    compact('the same again', { revision: 8 }),
    compact('an earlier one', { revision: 3 }),
    compact('a negative one', { revision: -3 }),
    range('before it', { ...prefix, revision: 7 }),
    range('one key before it', { key: bytes('k/a'), revision: 7 }),
    range('at it', { ...prefix, revision: 8 }),
    range('one key at it', { key: bytes('k/a'), revision: 8 }),
    range('after it', { ...prefix, revision: 9 }),
    compact('physically', { revision: 10, physical: true }),
    range('the present', all),
  ];
}
