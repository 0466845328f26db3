import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemberStatus } from '../client/index.ts';
import { complaint, type MemberRow, type Survey } from './cluster-survey.ts';
import { colorsFor } from './colors.ts';
import { bytesText, durationText, statusTable } from './status-table.ts';

const plain = colorsFor({}, {});

function row(name: string, status: Partial<MemberStatus> | undefined, ...errors: string[]): MemberRow {
  const known = { raftTerm: 2, appliedIndex: 9, dbSizeBytes: 2048, uptimeSeconds: 65, revision: 7, version: '0.1.0' };
  return {
    name,
    id: 'a1',
    endpoint: 'http://h:1',
    lagEntries: 0,
    errors,
    status: status && ({ ...known, ...status } as MemberStatus),
  };
}

test('status: a line for the cluster, one for each member, and what is wrong below', () => {
  const survey: Survey = {
    cluster: undefined,
    rows: [row('one', { state: 'leader' }), row('two', undefined, 'Cannot connect')],
  };
  assert.deepEqual(statusTable(survey, plain).split('\n'), [
    'cluster unknown, leader one, 1 of 2 members answer',
    'NAME  ROLE         TERM  INDEX  LAG  SIZE  UPTIME  REVISION  VERSION  ID  ENDPOINT    ERRORS',
    'one   leader       2     9      0    2.0K  1m5s    7         0.1.0    a1  http://h:1  none',
    'two   unreachable  -     -      0    -     -       -         -        a1  http://h:1  1',
    'two: Cannot connect',
    '',
  ]);
  assert.equal(complaint(survey), '1 of 2 members did not answer');
  assert.equal(
    complaint({ cluster: undefined, rows: [row('one', { state: 'follower' })] }),
    'the cluster has no leader',
  );
});

test('status: what a member says cannot move the cursor', () => {
  const text = statusTable({ cluster: undefined, rows: [row('one', { state: 'leader' }, 'bad\u001B[2J')] }, plain);
  assert.match(text, /one: bad\\x1b\[2J/);
});

test('status: sizes and times are short', () => {
  assert.deepEqual([0, 1023, 1536, 20 * 1024 ** 2, 3.25 * 1024 ** 4].map(bytesText), [
    '0B',
    '1023B',
    '1.5K',
    '20M',
    '3.3T',
  ]);
  assert.deepEqual([0, 45, 200, 3600, 18_720, 1_051_200].map(durationText), [
    '0s',
    '45s',
    '3m20s',
    '1h0m',
    '5h12m',
    '12d4h',
  ]);
});
