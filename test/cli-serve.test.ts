import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BalsaProcess, balsa } from './support/balsa.ts';

const scratch = mkdtempSync(join(tmpdir(), 'balsa-serve-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

let directories = 0;

/** Flags of a cluster of one on free ports, in a directory of its own. */
function alone(): string[] {
  directories += 1;
  return [
    '--listen-client-urls=http://127.0.0.1:0',
    '--listen-peer-urls=http://127.0.0.1:0',
    `--data-dir=${join(scratch, String(directories))}`,
    '--log-format=json',
  ];
}

const isReady = /ready to serve client requests/;

interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly member: string;
  readonly [fact: string]: unknown;
}

function logOf(stdout: string): LogLine[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('serve: says that it is ready, answers, and ends with 0 on each stop signal', async () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    const server = new BalsaProcess(['serve', ...alone()]);
    const [ready] = logOf(await server.said(isReady)).filter(({ event }) => isReady.test(event));
    const [url] = (ready?.['urls'] ?? []) as string[];
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    server.child.kill(signal);
    const { code, stderr } = await server.ended();
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
  }
});

test('serve: a signal and its repetition by npm are one; the server still stops in order', async () => {
  const server = new BalsaProcess(['serve', ...alone()]);
  await server.said(isReady);
  server.child.kill('SIGINT');
  server.child.kill('SIGINT');
  const { code, stdout } = await server.ended();
  assert.equal(code, 0);
  assert.match(logOf(stdout).at(-1)?.event ?? '', /stopped/);
});

test('serve: a signal while it starts ends it as well', async () => {
  const server = new BalsaProcess(['serve', ...alone(), '--log-level=debug', '--max-wals=5']);
  await server.said(/options of etcd/);
  server.child.kill('SIGTERM');
  assert.equal((await server.ended()).code, 0);
});

test('serve: ends with the process that holds the other end of its channel', async () => {
  const server = new BalsaProcess(['serve', ...alone()], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  await server.said(isReady);
  server.child.disconnect();
  assert.equal((await server.ended()).code, 0);
});

for (const [name, mistake] of [
  ['exception', 'throw new Error("injected")'],
  ['rejection', 'Promise.reject(new Error("injected"))'],
] as const) {
  test(`serve: after an unhandled ${name} it logs it, and ends at once with 70`, async () => {
    const inject = `data:text/javascript,process.on("SIGUSR2",()=>{${mistake}})`;
    const server = new BalsaProcess(['serve', ...alone()], {
      env: { ...process.env, NODE_OPTIONS: `--import=${encodeURI(inject)}` },
    });
    await server.said(isReady);
    server.child.kill('SIGUSR2');
    const { code, stdout, stderr } = await server.ended();
    assert.equal(code, 70);
    assert.match(stderr, /^balsa: un.*injected/);
    const last = logOf(stdout).at(-1);
    assert.equal(last?.level, 'fatal');
    assert.match(JSON.stringify(last), /injected/);
  });
}

test('serve: has a thread pool in which one slow disk or resolver does not hold up the rest', async () => {
  const server = new BalsaProcess(['serve', ...alone()]);
  await server.said(isReady);
  const threads = readdirSync(`/proc/${server.pid}/task`).length;
  server.child.kill();
  await server.ended();
  // 16 of the pool, and those that Node.js has for itself; with a pool of 4 there are 11.
  assert.ok(threads >= 20, `${threads} threads`);
});

test('serve: takes flags as etcd does, the environment under both names, and a file', async () => {
  const file = join(scratch, 'balsa.yaml');
  writeFileSync(file, 'heartbeat-interval: 20\nelection-timeout: 200\nlog-format: json\n');
  const [client, peer, data] = alone();
  const server = new BalsaProcess(
    ['serve', '-name', 'of-flag', `${client}`.slice(1), `${peer}`, '--pre-vote', '-config-file', file],
    {
      env: {
        ...process.env,
        BALSA_NAME: 'of-environment',
        ETCD_DATA_DIR: `${data}`.slice('--data-dir='.length),
        BALSA_NMAE: 'x',
      },
    },
  );
  const log = logOf(await server.said(isReady));
  server.child.kill();
  await server.ended();
  assert.equal(log[0]?.member, 'of-flag');
  const advice = log.filter(({ event }) => event === 'configuration advice').map(({ advice }) => advice);
  assert.ok(
    advice.includes('options of etcd that have no effect here: --pre-vote; they can be removed'),
    String(advice),
  );
  assert.ok(
    advice.some((text) => String(text).includes('BALSA_NMAE (did you mean BALSA_NAME?)')),
    String(advice),
  );
});

const refusals: readonly [name: string, args: readonly string[], message: RegExp][] = [
  ['a word', ['node1'], /"node1": balsa serve takes flags only/],
  ['a flag that does not exist', ['-nmae=x'], /--nmae: there is no such flag; did you mean --name\?/],
  ['a flag without value', ['--data-dir'], /--data-dir: needs a value, as in --data-dir=DIRECTORY/],
  [
    'an election timeout of few heartbeats',
    ['--election-timeout=300'],
    /--election-timeout: 300 ms is less than 5 heartbeats/,
  ],
  ['TLS', ['--cert-file=a.pem', '--key-file=a.key'], /--cert-file: TLS is not supported/],
  [
    'a file that is not there',
    ['--config-file=/nonexistent.yaml'],
    /--config-file: cannot read \/nonexistent\.yaml \(ENOENT\)/,
  ],
];
for (const [name, args, message] of refusals) {
  test(`serve: refused with one line and exit code 1: ${name}`, async () => {
    const { code, stdout, stderr } = await balsa(['serve', ...args]);
    assert.equal(code, 1);
    assert.match(stderr, message);
    assert.equal(stderr.trimEnd().split('\n').length, 1);
    assert.equal(stdout, '');
  });
}
