import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Golden, observe, repeatedWrite } from './observe.ts';

/**
 * Writes a golden data directory: `npm run golden -- PROGRAM DIRECTORY`, where PROGRAM is the `balsa.cjs` of a build. See
 * README.md.
 */
const [program, directory] = process.argv.slice(2);
if (program === undefined || directory === undefined) {
  console.error('npm run golden -- PROGRAM DIRECTORY');
  process.exit(2);
}
const [clientUrl, peerUrl] = ['http://127.0.0.1:47379', 'http://127.0.0.1:47380'];
rmSync(directory, { recursive: true, force: true });
mkdirSync(directory, { recursive: true });

let node = await start(program, directory);
await put('empty', '');
await put('text', 'Grüße');
await put('bytes/%00%ff%2f', 'bytes');
for (let i = 0; i < 5; i++) await put('often', `version ${i}`);
await put('gone', 'soon');
const compactedRevision = await revision();
await call('/v1/kv/gone', { method: 'DELETE' });
const pastRevision = await revision();
await call('/v1/compact', { method: 'POST', body: JSON.stringify({ revision: pastRevision }) });
const { id: lease } = await call('/v1/leases', { method: 'POST', body: JSON.stringify({ ttl: 86_400 }) });
await call(`/v1/kv/leased?lease=${lease}`, { method: 'PUT', body: 'for a day' });
const condition = '{"key":"text","exists":true}';
const both = '{"put":{"key":"txn/a","value":"1"}},{"put":{"key":"txn/b","value":"2"}},{"delete":{"key":"empty"}}';
await call('/v1/txn', { method: 'POST', body: `{"if":[${condition}],"then":[${both}]}` });
await call(repeatedWrite.path, repeatedWrite.init);
node.kill('SIGTERM');
await once(node, 'exit');

// What follows is in the log alone: the store is not flushed any more.
node = await start(program, directory);
await put('often', 'version 5');
await put('late', 'only in the log');
const asked = { lease: String(lease), pastRevision, compactedRevision };
const golden: Golden = { ...asked, observed: await observe(clientUrl, asked) };
node.kill('SIGKILL');
await once(node, 'exit');
writeFileSync(join(directory, 'golden.json'), `${JSON.stringify(golden, undefined, 2)}\n`);

async function start(path: string, into: string): Promise<ReturnType<typeof spawn>> {
  const args = [
    '--name=golden',
    `--data-dir=${join(into, 'data')}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=golden=${peerUrl}`,
    '--log-format=json',
    '--log-level=warn',
  ];
  const child = spawn(process.execPath, [path, 'serve', ...args], { stdio: 'inherit' });
  for (let i = 0; i < 400; i++, await delay(50)) {
    const answer = await fetch(`${clientUrl}/readyz`).catch(() => undefined);
    if (answer?.ok) return child;
  }
  throw new Error('the node is not ready after 20 s');
}

async function call(path: string, init: RequestInit): Promise<Readonly<Record<string, unknown>>> {
  const headers = typeof init.body === 'string' && init.method === 'POST' ? { 'content-type': 'application/json' } : {};
  const answer = await fetch(clientUrl + path, { ...init, headers: { ...headers, ...init.headers } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${init.method} ${path}: ${answer.status} ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Readonly<Record<string, unknown>>);
}

async function put(key: string, value: string): Promise<void> {
  await call(`/v1/kv/${key}`, { method: 'PUT', body: value });
}

async function revision(): Promise<number> {
  const status = (await (await fetch(`${clientUrl}/v1/status`)).json()) as { readonly revision: number };
  return status.revision;
}
