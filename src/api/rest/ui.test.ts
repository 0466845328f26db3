import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { HttpClient } from './testing/http-client.ts';
import { startApp } from './testing/start-api.ts';

async function startPage(t: TestContext, files: Readonly<Record<string, string>>): Promise<HttpClient> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-page-'));
  t.after(() => rm(directory, { recursive: true }));
  await mkdir(join(directory, 'parts'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return (await startApp(t, {}, { uiDirectory: pathToFileURL(`${directory}/`) })).client;
}

const page = { 'index.html': '<!doctype html>', 'main.js': 'import "./parts/dom.js";', 'parts/dom.js': '1;' };

test('ui: the page may load nothing from elsewhere, run nothing that is written into it, and be framed by nobody', async (t) => {
  const client = await startPage(t, page);
  const answer = await client.call('GET /ui/');
  assert.equal(answer.text, '<!doctype html>');
  assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
  const policy = String(answer.headers['content-security-policy']).split('; ');
  for (const rule of ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]) {
    assert.ok(policy.includes(rule), rule);
  }
  assert.equal(/unsafe|\*|http/.test(policy.join()), false);
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  const script = await client.call('GET /ui/parts/dom.js');
  assert.deepEqual([script.text, script.headers['content-type']], ['1;', 'text/javascript; charset=utf-8']);
});

test('ui: /ui leads to /ui/, also below the path of a proxy', async (t) => {
  const answer = await (await startPage(t, page)).call('GET /ui');
  assert.deepEqual([answer.status, answer.headers['location']], [308, 'ui/']);
});

test('ui: a part is sent again only when it has changed', async (t) => {
  const client = await startPage(t, page);
  const { headers } = await client.call('GET /ui/main.js');
  assert.equal(headers['cache-control'], 'no-cache');
  const again = await client.call('GET /ui/main.js', { headers: { 'if-none-match': String(headers['etag']) } });
  assert.deepEqual([again.status, again.text], [304, '']);
  assert.equal((await client.call('GET /ui/main.js', { headers: { 'if-none-match': '"x"' } })).status, 200);
});

test('ui: nothing but the files of the page can be read', async (t) => {
  const client = await startPage(t, { ...page, 'notes.txt': 'secret' });
  for (const path of [
    'nothing.js',
    'notes.txt',
    'parts',
    'parts/',
    '../package.json',
    '%2e%2e/app.ts',
    '/etc/passwd',
  ]) {
    const answer = await client.call(`GET /ui/${path}`);
    assert.equal(answer.status, 404, path);
    assert.equal(answer.json()['code'], 'not_found', path);
  }
});

test('ui: an installation without the page says how it is made', async (t) => {
  const client = await startPage(t, { 'index.html': 'sources, not built' });
  assert.match(String((await client.call('GET /ui/')).json()['detail']), /`npm run build` makes it/);
});
