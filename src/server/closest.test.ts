import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closest } from './closest.ts';

const flags = ['name', 'data-dir', 'listen-client-urls', 'listen-peer-urls', 'election-timeout'];

const cases: readonly [given: string, meant: string | undefined][] = [
  ['nmae', 'name'],
  ['names', 'name'],
  ['datadir', 'data-dir'],
  ['listen-client-url', 'listen-client-urls'],
  ['listen-peers-urls', 'listen-peer-urls'],
  ['election-time', 'election-timeout'],
  ['verbose', undefined],
  ['x', undefined],
  ['', undefined],
];

for (const [given, meant] of cases) {
  test(`closest: "${given}" was probably meant as ${meant ?? 'nothing that there is'}`, () => {
    assert.equal(closest(given, flags), meant);
  });
}
