import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { BalsaProcess, balsa, balsaPath, type Outcome } from './support/balsa.ts';
import { freePorts, ProcessCluster } from './support/processes.ts';

let cluster: ProcessCluster;
before(async () => {
  cluster = await ProcessCluster.start(3);
});
after(() => cluster[Symbol.asyncDispose]());

/** A command against the cluster. */
function run(line: string | readonly string[], stdin?: string | Uint8Array): Promise<Outcome> {
  const args = typeof line === 'string' ? line.split(' ') : line;
  const endpoints = cluster.nodes.map(({ url }) => url).join(',');
  return balsa(args, { env: { BALSA_ENDPOINTS: endpoints }, ...(stdin !== undefined && { stdin }) });
}

/** Standard output of a command that must not fail. */
async function output(line: string | readonly string[], stdin?: string | Uint8Array): Promise<string> {
  const { code, stdout, stderr } = await run(line, stdin);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  return stdout;
}

async function fails(code: number, message: RegExp, line: string | readonly string[]): Promise<void> {
  const outcome = await run(line);
  assert.equal(outcome.code, code, outcome.stderr);
  assert.match(outcome.stderr, message);
  assert.equal(outcome.stderr.trimEnd().split('\n').length, 1, 'one line');
  assert.equal(outcome.stdout, '');
}

test('put and get: what was put comes back byte for byte, without a line end of ours', async () => {
  await output('put greeting hello');
  assert.equal(await output('get greeting'), 'hello');
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  await output('put bytes', bytes);
  assert.deepEqual((await run('get bytes')).bytes, Buffer.from(bytes));
  await output('put bytes -', 'by a dash');
  assert.equal(await output('get bytes'), 'by a dash');
});

test('put: prints the revision, which a condition takes', async () => {
  const revision = (await output('put cas one')).trim();
  assert.match(revision, /^\d+$/);
  await output(`put cas two --if-match ${revision}`);
  await fails(4, /precondition_failed: .* Nothing was changed/, `put cas three --if-match ${revision}`);
  await fails(4, /precondition_failed/, 'put cas three --if-absent');
  await output('put cas four --if-match *');
  assert.equal(await output('get cas'), 'four');
  await output('put new-one x --if-absent');
});

test('put: values that look like flags, numbers and quoted text stay what they are', async () => {
  for (const value of ['"quoted"', "'quoted'", '007', '1e3', '-5', 'true', 'a=b', '']) {
    await output(['put', 'literal', value]);
    assert.equal(await output('get literal'), value);
  }
  await output('put -- --key --value');
  assert.equal(await output('get -- --key'), '--value');
});

test('put: tells what was replaced when asked', async () => {
  await output('put replaced old');
  const { prevKv } = JSON.parse(await output('put replaced new --prev -o json'));
  assert.equal(prevKv.value, 'old');
});

test('get: a key that is not there has an exit code of its own', async () => {
  await fails(3, /there is no key nothing-here/, 'get nothing-here');
});

test('get: json and table show revisions, and bytes that are no text as base64', async () => {
  await output(['put', 'shown/a'], Uint8Array.of(0xff));
  const { key, valueBase64, version } = JSON.parse(await output('get shown/a -o json'));
  assert.deepEqual({ key, valueBase64, version }, { key: 'shown/a', valueBase64: '/w==', version: 1 });
  assert.match(
    await output('get shown/a -o table'),
    /^KEY +VALUE +CREATED +MODIFIED +VERSION\nshown\/a +\\xff +\d+ +\d+ +1\n$/,
  );
});

test('get: a stale and a bounded read are asked for by name', async () => {
  await output('put read x');
  assert.equal(await output('get read --consistency linearizable'), 'x');
  assert.equal(await output('get read --consistency 10s'), 'x');
  assert.equal((await run('get read --consistency stale')).code === 0, true);
  await fails(1, /--consistency: must be linearizable, stale or a time/, 'get read --consistency old');
});

test('list: keys of a prefix, sorted, limited, counted, in each form', async () => {
  for (const [key, value] of [
    ['list/b', '2'],
    ['list/a', '1'],
    ['list/c', '3'],
  ] as const)
    await output(['put', key, value]);
  assert.equal(await output('list list/'), 'list/a\t1\nlist/b\t2\nlist/c\t3\n');
  assert.equal(await output('ls list/ --keys-only --limit 2'), 'list/a\nlist/b\n');
  assert.equal(await output('list list/ --count-only'), '3\n');
  assert.equal(await output('list --start list/b --end list/c --keys-only'), 'list/b\n');
  assert.equal(await output('list list/ --keys-only --order desc --limit 1'), 'list/c\n');
  assert.equal(await output('list list/ --keys-only --sort modRevision'), 'list/b\nlist/a\nlist/c\n');
  assert.deepEqual(
    (await output('list list/ -o json'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).value),
    ['1', '2', '3'],
  );
  assert.match(await output('list list/ -o table'), /^KEY +VALUE/);
  assert.equal(await output('list no/such/'), '');
});

test('list: more keys than fit into a page', async () => {
  const [node] = cluster.nodes;
  const keys = Array.from({ length: 2500 }, (_, i) => `many/${String(i).padStart(4, '0')}`);
  for (let from = 0; from < keys.length; from += 250) {
    await Promise.all(
      keys.slice(from, from + 250).map((key) => fetch(`${node?.url}/v1/kv/${key}`, { method: 'PUT', body: 'x' })),
    );
  }
  assert.deepEqual((await output('list many/ --keys-only')).trimEnd().split('\n'), keys);
  assert.equal((await output('list many/ --keys-only --limit 1234')).trimEnd().split('\n').length, 1234);
});

test('list: a reader that has seen enough is no failure', async () => {
  await output(['put', 'much/1'], Buffer.alloc(1_000_000, 'x'));
  const child = spawn(process.execPath, [balsaPath, 'list', 'much/', '--endpoints', cluster.node(0).url], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.once('data', () => child.stdout.destroy());
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

test('del: one key, a prefix, and every key only when that is said', async () => {
  await output('put del/a 1');
  await output('put del/b 2');
  assert.equal(await output('del del/a'), '1\n');
  await fails(3, /there is no key del\/a/, 'del del/a');
  await output('put del/a 1');
  assert.equal(await output('del --prefix del/'), '2\n');
  await fails(1, /the prefix is empty; to delete every key, say balsa del --all/, ['del', '--prefix', '']);
  await fails(1, /balsa del needs a key/, 'del');
  await output('put conditional 1');
  await fails(4, /precondition_failed/, 'del conditional --if-match 1');
  const left = Number(await output('list --count-only'));
  assert.equal(Number(await output('del --all')), left);
  assert.equal(await output('list'), '');
});

test('endpoints: the next one is asked when one is down', async () => {
  const [closed] = await freePorts(1);
  const { code } = await balsa(['put', 'failover', 'x', '--endpoints', `127.0.0.1:${closed},${cluster.node(0).url}`]);
  assert.equal(code, 0);
  const none = await balsa(['get', 'failover', '--endpoints', `http://127.0.0.1:${closed}`]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /^balsa: unavailable: Cannot connect to http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)/);
});

test('endpoints: those of etcdctl are taken as well', async () => {
  const { code, stderr } = await balsa(['put', 'etcdctl', 'x'], {
    env: { ETCDCTL_ENDPOINTS: cluster.node(1).url.replace('http://', '') },
  });
  assert.equal(code, 0, stderr);
});

test('status: every member in a line; one that does not answer is shown, and the exit code says so', async () => {
  const [summary = '', ...healthy] = (await output('status')).trimEnd().split('\n');
  assert.match(summary, /^cluster [0-9a-f]{1,16}, leader node[123], 3 of 3 members answer$/);
  const columns = /^NAME +ROLE +TERM +INDEX +LAG +SIZE +UPTIME +REVISION +VERSION +ID +ENDPOINT +ERRORS$/;
  assert.match(healthy[0] ?? '', columns);
  assert.deepEqual(
    healthy.slice(1).map((line) => line.split(/\s+/)[0]),
    ['node1', 'node2', 'node3'],
  );
  assert.equal(healthy.filter((line) => /\sleader\s/.test(line)).length, 1);
  assert.match(await output('status -o simple'), /^node1\t(leader|follower)\thttp:/);

  await cluster.node(2).kill();
  const { code, stdout, stderr } = await run('status -o json --timeout 3s');
  assert.equal(code, 1);
  assert.match(stderr, /1 of 3 members did not answer/);
  const { members } = JSON.parse(stdout);
  assert.equal(members[2].state, 'unreachable');
  assert.match(members[2].errors[0], /ECONNREFUSED/);
  cluster.node(2).start();
  await cluster.ready();
});

test('status --watch: shows it again and again, and ends well when it is stopped', async () => {
  const watching = new BalsaProcess(['status', '--watch', '--interval', '100ms', '--endpoints', cluster.node(0).url]);
  await watching.said(/(cluster [\s\S]*){3}/);
  watching.child.kill('SIGINT');
  const { code, stderr } = await watching.ended();
  assert.deepEqual([code, stderr], [0, '']);
});

const wrongUsage: readonly [line: string, message: RegExp][] = [
  ['', /say what to do: balsa serve runs a server/],
  ['statsu', /there is no command "statsu"; did you mean balsa status\?/],
  ['put', /balsa put needs more arguments; see balsa put --help/],
  ['put a b c', /balsa put has no further argument c/],
  ['put a b --iff-match 3', /balsa put has no flag --iff-match/],
  ['put a b --if-match x', /--if-match: must be a revision such as 17, or \*, not "x"/],
  ['put a b --if-match 3 --if-absent', /contradict each other/],
  ['get a -o xml', /--output: must be one of simple, table, json, not "xml"/],
  ['get a --timeout 5', /--timeout: must be a time with its unit, such as 500ms or 5s, not "5"/],
  ['get a --endpoints ftp://x', /The endpoint "ftp:\/\/x" is not a URL/],
  ['list a --limit 0', /--limit: must be a whole number above 0, not "0"/],
  ['list a --limit', /Not enough arguments following: limit/],
  ['list a --end b', /a prefix and --start or --end contradict each other/],
  ['get ..', /The key "\.\." cannot be sent over HTTP/],
];
for (const [line, message] of wrongUsage) {
  test(`usage: balsa ${line}: one line, exit code 1`, () => fails(1, message, line === '' ? [] : line));
}

test('help: every command explains itself with examples; version is that of the package', async () => {
  for (const command of ['serve', 'put', 'get', 'del', 'list', 'status']) {
    const help = await output(`${command} --help`);
    assert.match(help, /Examples:/, command);
  }
  assert.match(await output('version'), /^balsa \d+\.\d+\.\d+ \(Node\.js \d+/);
  const lines = (await output('version --cluster')).trimEnd().split('\n');
  assert.match(lines.shift() ?? '', /^cluster version: \d+\.\d+$/);
  assert.match(lines.shift() ?? '', /^NAME +ID +VERSION$/);
  for (const line of lines) assert.match(line, /^node\d +\w+ +\d+\.\d+\.\d+$/);
  assert.match(await output('version --cluster -o simple'), /^(node\d\t\d+\.\d+\.\d+\n){3}$/);
  const { clusterVersion, members } = JSON.parse(await output('version --cluster -o json'));
  assert.deepEqual([typeof clusterVersion, members.length, lines.length], ['string', 3, 3]);
  assert.match(await output('--version'), /^\d+\.\d+\.\d+/);
});
