import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordCache } from './record-cache.ts';

test('record cache: keeps what is used, forgets what is not, and never grows beyond its bound', () => {
  const cache = new RecordCache(64 * 1024);
  cache.set('used', Buffer.from('kept'));
  cache.set('unused', Buffer.from('forgotten'));
  for (let i = 0; i < 1000; i++) {
    cache.set(`other ${i}`, Buffer.alloc(100));
    assert.equal(cache.get('used')?.toString(), 'kept');
  }
  assert.equal(cache.get('unused'), undefined);
  const kept = Array.from({ length: 1000 }, (_, i) => cache.get(`other ${i}`)).filter((record) => record !== undefined);
  assert.ok(kept.length * 100 < 64 * 1024);
});

test('record cache: the newest record of a key counts, in whichever generation the older one is', () => {
  const cache = new RecordCache(1024);
  cache.set('k', Buffer.from('old'));
  cache.set('filler', Buffer.alloc(1000));
  cache.set('k', Buffer.from('new'));
  assert.equal(cache.get('k')?.toString(), 'new');
  cache.set('k', null);
  assert.equal(cache.get('k'), null);
  cache.clear();
  assert.equal(cache.get('k'), undefined);
});

test('record cache: a record that was read stays as it was when its key is set again', () => {
  const cache = new RecordCache(64 * 1024);
  cache.set('k', Buffer.from('first'));
  const read = cache.get('k');
  cache.set('k', Buffer.from('other'));
  assert.equal(read?.toString(), 'first');
  assert.equal(cache.get('k')?.toString(), 'other');
});

test('record cache: keys that are set over and over push out nothing', () => {
  const cache = new RecordCache(8 * 1024);
  cache.set('seldom', Buffer.from('kept'));
  for (let i = 0; i < 1000; i++) cache.set('often', Buffer.alloc(1000));
  assert.equal(cache.get('seldom')?.toString(), 'kept');
});
