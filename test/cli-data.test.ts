import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BalsaProcess, balsa, type Outcome } from './support/balsa.ts';
import { eventually, ProcessCluster } from './support/processes.ts';

let cluster: ProcessCluster;
const started: BalsaProcess[] = [];
before(async () => {
  cluster = await ProcessCluster.start(3);
});
after(async () => {
  // A test that failed has not stopped its own.
  for (const { child } of started) child.kill('SIGKILL');
  await cluster[Symbol.asyncDispose]();
});

const environment = (): Record<string, string> => ({
  BALSA_ENDPOINTS: cluster.nodes.map(({ url }) => url).join(','),
});

function run(line: string, stdin?: string): Promise<Outcome> {
  return balsa(line.split(' '), { env: environment(), ...(stdin !== undefined && { stdin }) });
}

/** Standard output of a command that must not fail. */
async function output(line: string, stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await run(line, stdin);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  return stdout;
}

async function fails(code: number, message: RegExp, line: string, stdin?: string): Promise<void> {
  const outcome = await run(line, stdin);
  assert.equal(outcome.code, code, outcome.stderr);
  assert.match(outcome.stderr, message);
  assert.equal(outcome.stderr.trimEnd().split('\n').length, 1, 'one line');
  assert.equal(outcome.stdout, '');
}

/** A command that goes on until it is stopped. */
function start(line: string): BalsaProcess {
  const running = new BalsaProcess(line.split(' '), { env: { ...process.env, ...environment() } });
  started.push(running);
  return running;
}

async function put(key: string, value: string): Promise<number> {
  return Number(await output(`put ${key} ${value}`));
}

test('watch: sees what is put elsewhere, from a revision on, and ends with 0 at Ctrl-C', async () => {
  const first = await put('watched/a', '1');
  const watch = start(`watch watched/ --prefix --prev-kv --rev ${first}`);
  await watch.said(/^PUT {2}watched\/a {2}1 {2}\(revision \d+\)\n/);
  const second = await put('watched/a', '2');
  await put('not-watched', 'x');
  await output('del watched/a');
  await watch.said(/DELETE/);
  watch.child.kill('SIGINT');
  const { code, stdout, stderr } = await watch.ended();
  assert.equal(stderr, '');
  assert.equal(code, 0);
  assert.equal(
    stdout,
    `PUT  watched/a  1  (revision ${first})\n` +
      `PUT  watched/a  2  (revision ${second}; before: 1)\n` +
      `DELETE  watched/a  (revision ${second + 2}; before: 2)\n`,
  );
});

test('watch: a key, a range and a filter', async () => {
  const from = await put('chosen/a', '1');
  await output('txn', '\nput chosen/b 2\nput chosen/c 3\ndel chosen/a');
  const last = await put('chosen/z', 'end');
  const seen = async (flags: string): Promise<string[]> => {
    const watch = start(`watch ${flags} --rev ${from} -o json`);
    await watch.said(new RegExp(`"revision":${last}`));
    watch.child.kill('SIGTERM');
    const lines = (await watch.ended()).stdout.trimEnd().split('\n');
    return lines.map((line) =>
      JSON.parse(line)
        .events.map((event: WatchEvent) => `${event.type} ${event.kv.key}`)
        .join(),
    );
  };
  assert.deepEqual(await seen('chosen/z'), ['put chosen/z']);
  assert.deepEqual(await seen('chosen/b --range-end chosen/zz'), ['put chosen/b,put chosen/c', 'put chosen/z']);
  assert.deepEqual(await seen('chosen/a --from-key --filter delete'), [
    'put chosen/a',
    'put chosen/b,put chosen/c',
    'put chosen/z',
  ]);
});

interface WatchEvent {
  readonly type: string;
  readonly kv: { readonly key: string };
}

test('watch: goes on over the end of the member that it was connected to, without a gap or a duplicate', async () => {
  const first = await put('followed', '0');
  const watch = start(`watch followed --rev ${first}`);
  await watch.said(/followed {2}0/);
  const values = ['1', '2', '3'];
  // The client asks the first of its endpoints first.
  await cluster.node(0).kill();
  for (const value of values) await put('followed', value);
  await watch.said(/followed {2}3/);
  cluster.node(0).start();
  await cluster.ready();
  watch.child.kill('SIGINT');
  const { code, stdout } = await watch.ended();
  assert.equal(code, 0);
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2}/)[2]),
    ['0', ...values],
  );
});

test('txn: one branch in one revision; JSON and the text of etcdctl', async () => {
  const text = 'version("txn/a") = "0"\n\nput txn/a 1\nput txn/b "two words"\n\nget txn/ --prefix\n';
  assert.equal(await output('txn', text), 'SUCCESS\n\nOK\n\nOK\n');
  assert.equal(await output('txn', text), 'FAILURE\n\ntxn/a\n1\ntxn/b\ntwo words\n');
  const kvs = (await output('list txn/ -o json')).trimEnd().split('\n');
  assert.equal(new Set(kvs.map((line) => JSON.parse(line).modRevision)).size, 1);

  const swap = '{"if":[{"key":"txn/a","value":{"=":"1"}}],"then":[{"delete":{"prefix":"txn/","prevKv":true}}]}';
  const { succeeded, results } = JSON.parse(await output('txn -o json', swap));
  assert.equal(succeeded, true);
  assert.equal(results[0].delete.deleted, 2);
  assert.equal(results[0].delete.prevKvs[1].value, 'two words');
  await fails(1, /bad_request: .*then\[0\]/, 'txn', '{"then":[{"putt":{}}]}');
});

test('lease: its keys go when it ends by itself, and when it is revoked', async () => {
  const short = (await output('lease grant 1')).trim();
  assert.match(short, /^[0-9a-f]{16}$/);
  await output(`put leased/short x --lease ${short}`);
  assert.equal(JSON.parse(await output('get leased/short -o json')).lease, short);
  await eventually('the key is gone', 30_000, async () => (await run('get leased/short')).code === 3);
  await fails(1, /lease_not_found/, `lease timetolive ${short}`);

  const id = '00000000000000ff';
  assert.equal(await output(`lease grant 600 --id ff`), `${id}\n`);
  await fails(1, /lease_exists/, 'lease grant 600 --id ff');
  await output(`put leased/long x --lease ff`);
  const [seconds, ...keys] = (await output('lease timetolive ff --keys')).trimEnd().split('\n');
  assert.ok(Number(seconds) > 500 && Number(seconds) <= 600, seconds);
  assert.deepEqual(keys, ['leased/long']);
  assert.ok((await output('lease list')).includes(id));
  assert.match(await output('lease keep-alive ff --once'), /kept alive with TTL\(600s\)/);
  assert.equal(await output('lease revoke ff'), '1\n');
  await fails(3, /there is no key/, 'get leased/long');
  await fails(1, /lease_not_found/, 'lease keep-alive ff');
  await fails(1, /lease_not_found/, 'put leased/long x --lease ff');
});

test('lease keep-alive: a lease lives longer than its time while somebody renews it', async () => {
  const id = (await output('lease grant 2')).trim();
  await output(`put kept x --lease ${id}`);
  const keeping = start(`lease keep-alive ${id}`);
  // At a third of the time each: more than twice the time that it would live alone.
  await keeping.said(/(?:lease [^\n]* kept alive [^\n]*\n){8}/);
  assert.equal(await output('get kept'), 'x');
  keeping.child.kill('SIGINT');
  assert.equal((await keeping.ended()).code, 0);
  await eventually('the key is gone', 30_000, async () => (await run('get kept')).code === 3);
});

test('the past: get and list at a revision, until it is compacted', async () => {
  const first = await put('past/a', 'old');
  const second = await put('past/a', 'new');
  await put('past/b', 'later');
  assert.equal(await output(`get past/a --rev ${first}`), 'old');
  assert.equal(await output(`list past/ --rev ${second}`), 'past/a\tnew\n');
  assert.equal(await output(`list past/ --keys-only --min-create-rev ${second + 1}`), 'past/b\n');
  assert.equal(await output(`list past/ --keys-only --max-mod-rev ${second}`), 'past/a\n');
  assert.equal(await output(`list past/ --count-only --rev ${first}`), '1\n');
  await fails(3, /at revision \d+ there was no key past\/b/, `get past/b --rev ${first}`);
  await fails(1, /future_revision/, `get past/a --rev ${second + 1000}`);

  assert.equal(await output(`compact ${second}`), `compacted revision ${second}\n`);
  await fails(1, /compacted: /, `get past/a --rev ${first}`);
  await fails(1, /compacted: /, `list past/ --rev ${first}`);
  await fails(1, /compacted: /, `watch past/ --prefix --rev ${first}`);
  await fails(1, /compacted: /, `compact ${first}`);
  assert.equal(await output(`get past/a --rev ${second}`), 'new');
  assert.equal(await output('get past/a'), 'new');
});
