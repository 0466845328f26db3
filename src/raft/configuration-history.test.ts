import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeConfigurationData } from './configuration-data.ts';
import { ConfigurationHistory } from './configuration-history.ts';
import { entry, votersOf } from './testing/core.ts';
import type { Entry } from './types.ts';

function change(index: number, ...voters: readonly string[]): Entry {
  const data = encodeConfigurationData(votersOf(...voters), new Uint8Array(0));
  return { term: 1, index, type: 'configuration', data };
}

function history(): ConfigurationHistory {
  return new ConfigurationHistory([{ index: 0, configuration: votersOf('1', '2', '3') }], 0);
}

test('configuration history: the newest in the log is in effect, whatever is committed', () => {
  const configurations = history();
  configurations.append([entry(1, 1), change(2, '1', '2'), entry(3, 1), change(4, '4')]);
  assert.deepEqual(configurations.newest, { index: 4, configuration: votersOf('4') });
  assert.deepEqual(configurations.members, ['1', '2', '3', '4']);
});

test('configuration history: what is replaced gives way to the one before', () => {
  const configurations = history();
  configurations.append([change(2, '1', '2'), change(4, '1', '4')]);
  configurations.truncateFrom(5);
  assert.equal(configurations.newest.index, 4);
  configurations.truncateFrom(4);
  assert.equal(configurations.newest.index, 2);
  configurations.truncateFrom(1);
  assert.deepEqual(configurations.newest, { index: 0, configuration: votersOf('1', '2', '3') });
});

test('configuration history: who was dropped counts as a voter until that is committed', () => {
  const configurations = history();
  configurations.append([change(2, '1', '2')]);
  configurations.commitTo(1);
  assert.equal(configurations.hasVoter('3'), true);
  configurations.commitTo(2);
  assert.equal(configurations.hasVoter('3'), false);
  assert.deepEqual(configurations.members, ['1', '2']);
});

test('configuration history: a log on disk brings its own, and of those that are committed only the last matters', () => {
  const entries = [
    { index: 0, configuration: votersOf('1') },
    { index: 3, configuration: votersOf('1', '2') },
    { index: 7, configuration: votersOf('2') },
  ];
  const configurations = new ConfigurationHistory(entries, 5);
  assert.equal(configurations.newest.index, 7);
  configurations.truncateFrom(6);
  assert.equal(configurations.newest.index, 3);
  assert.throws(() => configurations.truncateFrom(3), /a committed configuration would be replaced/);
});
