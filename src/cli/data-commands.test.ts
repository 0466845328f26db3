import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Endpoints, hangUp, inTurn, json, problem } from '../client/testing/endpoint.ts';
import { WatchServer } from '../client/testing/watch-server.ts';

/** The commands as processes, against endpoints that play the REST API; with real members: test/cli-data.test.ts. */
const endpoints = new Endpoints();
afterEach(() => endpoints.closeAll());

const mainPath = fileURLToPath(new URL('main.ts', import.meta.url));
const id = '694d5765fc71500b';

interface Running {
  readonly interrupt: () => void;
  /** Once standard output has that. */
  readonly said: (text: string) => Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

async function start(answer: RequestListener, args: readonly string[], stdin = ''): Promise<Running> {
  const env = { ...process.env, BALSA_ENDPOINTS: await endpoints.open(answer) };
  const child = spawn(process.execPath, ['--import', 'tsx', mainPath, ...args], { env });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      written[name] += chunk;
    });
  }
  child.stdin.end(stdin);
  return {
    interrupt: () => child.kill('SIGINT'),
    said: async (text) => {
      while (!written.stdout.includes(text)) await once(child.stdout, 'data');
    },
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, ...written })),
  };
}

async function run(answer: RequestListener, args: readonly string[], stdin?: string) {
  return (await start(answer, args, stdin)).ended;
}

/** Standard output of a command that must not fail. */
async function output(answer: RequestListener, line: string, stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await run(answer, line.split(' '), stdin);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  return stdout;
}

async function fails(code: number, message: RegExp, answer: RequestListener, line: string, stdin?: string) {
  const outcome = await run(answer, line.split(' '), stdin);
  assert.match(outcome.stderr, message);
  assert.equal(outcome.stderr.trimEnd().split('\n').length, 1, 'one line');
  assert.deepEqual([outcome.code, outcome.stdout], [code, '']);
}

/** What a request says, without what every one has. */
async function shown(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request as AsyncIterable<Buffer>) body += chunk;
  return `${request.method} ${request.url?.replace(/[?&]timeout=\d+ms/, '')} ${body}`.trimEnd();
}

test('watch: prints changes, goes on over a break, and ends with 0 at Ctrl-C', async () => {
  const server = new WatchServer();
  server.put(['a/b', '1'], ['a/c', '2']);
  const watch = await start(server.answer, ['watch', 'a/', '--prefix', '--rev', '2']);
  await watch.said('PUT  a/b  1  (revision 2)\nPUT  a/c  2  (revision 2)\n');
  server.break();
  await once(server, 'opened');
  server.put(['a/b', '3']);
  await watch.said('(revision 3)\n');
  watch.interrupt();
  const { code, stdout, stderr } = await watch.ended;
  assert.equal(code, 0);
  assert.equal(stdout, 'PUT  a/b  1  (revision 2)\nPUT  a/c  2  (revision 2)\nPUT  a/b  3  (revision 3)\n');
  assert.match(
    stderr,
    /^balsa: unavailable: http.* broke the connection .* The watch goes on when a member answers\.\n$/,
  );
});

test('watch: JSON is a line for each revision; compacted revisions are an error', async () => {
  const server = new WatchServer();
  server.put(['a', '1'], ['b', '2']);
  const watch = await start(server.answer, ['watch', '--rev', '2', '-o', 'json']);
  await watch.said('\n');
  watch.interrupt();
  const { code, stdout } = await watch.ended;
  assert.equal(code, 0);
  const { revision, events } = JSON.parse(stdout) as { revision: number; events: { kv: { key: string } }[] };
  assert.deepEqual([revision, ...events.map(({ kv }) => kv.key)], [2, 'a', 'b']);
  server.compact(3);
  await fails(1, /^balsa: compacted: .* before revision 3 is compacted/, server.answer, 'watch a --rev 2');
});

test('txn: JSON goes to the server as it is, text of etcdctl as the JSON of the same', async () => {
  const bodies: string[] = [];
  const recorder: RequestListener = async (request, response) => {
    bodies.push(await shown(request));
    const results = [{ put: { created: true, createRevision: 7, version: 1 } }];
    response.writeHead(200).end(JSON.stringify({ succeeded: bodies.length === 1, revision: 7, results }));
  };
  const asJson = '{"if":[{"key":"a","exists":false}],"then":[{"put":{"key":"a","value":"1"}}],"else":[]}';
  assert.equal(await output(recorder, 'txn', asJson), 'SUCCESS\n\nOK\n');
  assert.equal(await output(recorder, 'txn -', 'ver("a") = "0"\n\nput a 1\n\n'), 'FAILURE\n\nOK\n');
  assert.deepEqual(bodies, [
    `POST /v1/txn ${asJson}`,
    'POST /v1/txn {"if":[{"key":"a","version":{"=":0}}],"then":[{"put":{"key":"a","value":"1"}}],"else":[]}',
  ]);
});

test('txn: what is not one is refused before it is sent; an unknown outcome has its exit code', async () => {
  await fails(1, /^balsa: the transaction is empty/, hangUp, 'txn', ' \n');
  await fails(1, /^balsa: the transaction is not valid JSON: /, hangUp, 'txn', '{"if":');
  await fails(1, /^balsa: line 1: "put a 1" is no comparison/, hangUp, 'txn', 'put a 1');
  await fails(1, /^balsa: .*\/no\/such\/file.* cannot be read/, hangUp, 'txn /no/such/file');
  await fails(5, /^balsa: outcome_unknown: /, hangUp, 'txn', '\nput a 1');
});

test('lease: grant, timetolive, list and revoke print what scripts want, and sentences when asked', async () => {
  const granted = json({ id, ttl: 30 }, 201);
  assert.equal(await output(granted, 'lease grant 30'), `${id}\n`);
  assert.equal(await output(granted, `lease grant 30 --id ${id} -o table`), `lease ${id} granted with TTL(30s)\n`);
  const time = json({ id, ttl: 17, grantedTtl: 30, keys: [{ key: 'a' }, { keyBase64: '/w==' }] });
  assert.equal(await output(time, `lease timetolive ${id} --keys`), '17\na\n\\xff\n');
  assert.equal(
    await output(time, `lease timetolive ${id} --keys -o table`),
    `lease ${id} granted with TTL(30s), remaining(17s), attached keys([a \\xff])\n`,
  );
  assert.deepEqual(JSON.parse(await output(time, `lease timetolive ${id} --keys -o json`)), {
    id,
    ttl: 17,
    grantedTtl: 30,
    keys: [{ key: 'a' }, { keyBase64: '/w==' }],
  });
  assert.equal(await output(json({ revision: 7, leases: [{ id }] }), 'lease list'), `${id}\n`);
  assert.equal(await output(json({ deleted: 2, revision: 8 }), `lease revoke ${id}`), '2\n');
  await fails(1, /^balsa: lease_not_found: /, problem('lease_not_found'), `lease revoke ${id}`);
  await fails(5, /^balsa: outcome_unknown: /, hangUp, `lease revoke ${id}`);
  await fails(1, /^balsa: unavailable: /, hangUp, 'lease list');
});

test('lease keep-alive: once, until Ctrl-C, and until the lease is lost', async () => {
  const renewal = json({ id, ttl: 30 });
  const line = `lease ${id} kept alive with TTL(30s)\n`;
  assert.equal(await output(renewal, `lease keep-alive ${id} --once`), line);
  const keeping = await start(renewal, ['lease', 'keep-alive', id]);
  await keeping.said(line);
  keeping.interrupt();
  assert.deepEqual(await keeping.ended, { code: 0, stdout: line, stderr: '' });
  const lost = await run(inTurn(json({ id, ttl: 3 }), problem('lease_not_found')), ['lease', 'keep-alive', id]);
  assert.deepEqual([lost.code, lost.stderr], [1, 'balsa: lease_not_found: It is lease_not_found.\n']);
});

test('compact, and put, get and list with their options, ask as the API wants it', async () => {
  const lines: string[] = [];
  const recorder: RequestListener = async (request, response) => {
    lines.push(await shown(request));
    const isRead = request.url?.startsWith('/v1/kv/') && request.method === 'GET';
    const answer = { revision: 7, createRevision: 7, version: 1, kvs: [], count: 3, more: false };
    response.writeHead(200, { etag: '"5"', 'balsa-lease': id }).end(isRead ? 'v' : JSON.stringify(answer));
  };
  assert.equal(await output(recorder, 'compact 9'), 'compacted revision 9\n');
  assert.equal(await output(recorder, `put k v --lease ${id}`), '7\n');
  assert.equal(JSON.parse(await output(recorder, 'get k --rev 5 -o json')).lease, id);
  await output(recorder, 'list --prefix a/ --rev 5 --limit 3 --sort value --order desc --keys-only');
  await output(
    recorder,
    'list --start a --end b --min-mod-rev 1 --max-mod-rev 2 --min-create-rev 3 --max-create-rev 4',
  );
  assert.equal(await output(recorder, 'list a/ --count-only --rev 5'), '3\n');
  assert.deepEqual(lines, [
    'POST /v1/compact {"revision":9}',
    `PUT /v1/kv/k?lease=${id} v`,
    'GET /v1/kv/k?revision=5',
    'GET /v1/kv?revision=5&prefix=a%2F&encoding=base64&keysOnly=true&sort=value&order=desc&limit=3',
    'GET /v1/kv?start=a&end=b&encoding=base64' +
      '&minModRevision=1&maxModRevision=2&minCreateRevision=3&maxCreateRevision=4&limit=1000',
    'GET /v1/kv?revision=5&prefix=a%2F&countOnly=true',
  ]);
});

test('get: the past that is compacted, and a key that was not there yet', async () => {
  await fails(1, /^balsa: compacted: It is compacted\.$/m, problem('compacted'), 'get k --rev 5');
  await fails(3, /^balsa: at revision 5 there was no key k$/m, problem('key_not_found'), 'get k --rev 5');
});

for (const command of [
  'watch',
  'txn',
  'lease',
  'lease grant',
  'lease revoke',
  'lease timetolive',
  'lease list',
  'lease keep-alive',
  'compact',
]) {
  test(`help: balsa ${command} has an example`, async () => {
    assert.match(await output(hangUp, `${command} --help`), /Examples:/);
  });
}
