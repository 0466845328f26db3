import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Member } from '../client/index.ts';
import { shellLine, startLines } from './start-lines.ts';

function member(id: string, name: string, ...peerUrls: string[]): Member {
  return { id, name, role: 'voter', peerUrls, clientUrls: [] };
}

const node1 = member('a1', 'node1', 'http://10.0.0.1:2380', 'http://10.0.1.1:2380');
const unnamed = member('a2', '', 'http://10.0.0.2:2380');

test('start lines: both ways to start a member, with ports in pairs', () => {
  const added = member('a4', 'node4', 'http://10.0.0.4:42380');
  const { join, existing } = startLines(added, [node1, unnamed, added], 'http://10.0.0.1:2379');
  const own =
    'balsa serve --name node4 --initial-advertise-peer-urls http://10.0.0.4:42380' +
    ' --listen-peer-urls http://10.0.0.4:42380 --advertise-client-urls http://10.0.0.4:42379' +
    ' --listen-client-urls http://10.0.0.4:42379';
  assert.equal(join.join(' '), `${own} --join http://10.0.0.1:2379`);
  const all =
    'node1=http://10.0.0.1:2380,node1=http://10.0.1.1:2380,a2=http://10.0.0.2:2380,node4=http://10.0.0.4:42380';
  assert.equal(existing.join(' '), `${own} --initial-cluster-state existing --initial-cluster ${all}`);
});

test('start lines: a member with a host name listens on every address', () => {
  const added = member('a4', 'node4', 'http://balsa4:2380');
  const { join } = startLines(added, [node1, added], 'http://balsa1:2379');
  assert.equal(join[join.indexOf('--listen-peer-urls') + 1], 'http://0.0.0.0:2380');
  assert.equal(join[join.indexOf('--advertise-client-urls') + 1], 'http://balsa4:2379');
  assert.equal(join[join.indexOf('--listen-client-urls') + 1], 'http://0.0.0.0:2379');
});

test('start lines: a shell reads them as they were meant', () => {
  const words = ['balsa', 'serve', '--name', "a 'b'", '--listen-peer-urls', 'http://[::1]:2380'];
  assert.equal(
    shellLine(words),
    "balsa serve \\\n    --name 'a '\\''b'\\''' \\\n    --listen-peer-urls 'http://[::1]:2380'",
  );
});
