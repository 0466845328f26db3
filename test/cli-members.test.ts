import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { MemberServer, voters } from '../src/cli/testing/member-server.ts';
import { ScriptedCommands } from './support/scripted-commands.ts';

const commands = new ScriptedCommands();
afterEach(() => commands.closeAll());

function output(server: MemberServer, line: string): Promise<string> {
  return commands.output(server.answer, line);
}

const added = '--peer-urls http://10.0.0.4:2380';

test('member list: a table for people, lines and JSON for the others', async () => {
  const server = new MemberServer([
    ...voters(1),
    { id: 'b1', name: '', role: 'learner', peerUrls: ['http://10.0.0.4:2380'], clientUrls: [] },
  ]);
  assert.equal(
    await output(server, 'member list'),
    'ID  NAME   ROLE     PEER URLS             CLIENT URLS\n' +
      'b1  -      learner  http://10.0.0.4:2380  -\n' +
      'a1  node1  voter    http://10.0.0.1:2380  http://10.0.0.1:2379\n',
  );
  const [, second] = (await output(server, 'member list -o simple')).split('\n');
  assert.equal(second, 'a1\tnode1\tvoter\thttp://10.0.0.1:2380\thttp://10.0.0.1:2379');
});

test('member add: prints the very lines to start the new member with', async () => {
  const server = new MemberServer(voters(2));
  const said = await output(server, `member add node4 ${added}`);
  assert.match(said, /^node4 \(b1\) is added to the cluster cdf8, as a learner\. .* gets by itself\.\n/);
  const lines = said.replaceAll(/\\\n\s+/g, '').split('\n');
  const own =
    '  balsa serve --name node4 --initial-advertise-peer-urls http://10.0.0.4:2380' +
    ' --listen-peer-urls http://10.0.0.4:2380 --advertise-client-urls http://10.0.0.4:2379' +
    ' --listen-client-urls http://10.0.0.4:2379';
  assert.ok(lines.includes(`${own} --join http://10.0.0.1:2379`), said);
  const all = 'node1=http://10.0.0.1:2380,node2=http://10.0.0.2:2380,node4=http://10.0.0.4:2380';
  assert.ok(lines.includes(`${own} --initial-cluster-state existing --initial-cluster ${all}`), said);
  const { member, start } = JSON.parse(await output(server, 'member add n6 --peer-urls http://10.0.0.6:2380 -o json'));
  assert.deepEqual([member.id, start.join.at(-1)], ['b2', 'http://10.0.0.1:2379']);
});

test('member promote, update and remove, by name or id; leader transfer', async () => {
  const server = new MemberServer(voters(3));
  assert.equal(await output(server, 'member promote node2'), 'node2 (a2) votes.\n');
  const moved = await output(server, 'member update A2 --peer-urls http://10.0.0.9:2380,http://10.0.1.9:2380');
  assert.equal(moved, 'node2 (a2) is at http://10.0.0.9:2380, http://10.0.1.9:2380.\n');
  assert.match(await output(server, 'member remove node3'), /^node3 \(a3\) is removed; 2 members vote\. /);
  assert.equal(await output(server, 'leader transfer --to node1 -o json'), '{"leader":"a1","name":"node1"}\n');
  assert.deepEqual(server.changes, [
    'POST /v1/cluster/members/a2/promote',
    'PATCH /v1/cluster/members/a2',
    'DELETE /v1/cluster/members/a3',
    'POST /v1/cluster/leader',
  ]);
});

test('member: what cannot be is refused in one line, and an unknown outcome has its exit code', async () => {
  const server = new MemberServer(voters(2));
  const refused = (message: RegExp, line: string) => commands.fails(1, message, server.answer, line);
  await refused(
    /^balsa: there is no member node9; the members are node1 \(a1\), node2 \(a2\)$/m,
    'member remove node9',
  );
  await refused(
    /^balsa: --peer-urls: must be one or more URLs such as .*, not "10\.0/,
    'member add n --peer-urls 10.0.0.4',
  );
  await refused(/^balsa: Missing required argument: peer-urls; see balsa member add --help$/m, 'member add node4');
  server.failures.push('hangUp');
  await commands.fails(5, /List the members to find out\.$/m, server.answer, 'member promote node2');
  server.failures.push('hangUp');
  assert.match(await output(server, 'member remove node2'), /^node2 \(a2\) is removed; 1 member votes\. /);
});

test('member replace: says what is waited for, and can be interrupted and repeated', async () => {
  const server = new MemberServer(voters(3));
  const line = `member replace node3 --name node4 ${added}`;
  const looking = new Promise<void>((resolve) => {
    let looks = 0;
    server.onLook = () => {
      looks++;
      if (looks > 1) resolve();
    };
  });
  const first = await commands.start(server.answer, line);
  await looking;
  first.child.kill('SIGINT');
  const interrupted = await first.ended();
  assert.equal(interrupted.code, 1);
  assert.match(
    interrupted.stderr,
    /^node4 \(b1\) is added\. Start it, with an empty data directory:\n\n {2}balsa serve/,
  );
  assert.match(
    interrupted.stderr,
    /\nbalsa: interrupted; run the same command again, and it goes on from where it was\n$/,
  );
  server.promote('b1');
  const { code, stdout, stderr } = await commands.run(server.answer, line);
  assert.deepEqual([code, stdout, stderr], [0, 'node4 (b1) votes. node3 is gone.\n', 'node3 (a3) is removed.\n']);
  assert.deepEqual(server.changes, ['POST /v1/cluster/members', 'DELETE /v1/cluster/members/a3']);
});
