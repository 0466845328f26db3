import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { eventually, ProcessCluster } from '../support/processes.ts';
import { openBrowser, openPage } from './browser.ts';
import { putExamples } from './example-data.ts';

let cluster: ProcessCluster;
let browser: Browser;
let url: string;
let page: Page;
let faults: readonly string[];
before(async () => {
  [cluster, browser] = await Promise.all([ProcessCluster.start(1), openBrowser()]);
  url = cluster.node(0).url;
  await putExamples(url);
});
after(async () => {
  await browser?.close();
  await cluster?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  ({ page, faults } = await openPage(browser, url));
});
afterEach(async () => {
  assert.deepEqual(faults, []);
  await page.context().close();
});

async function put(key: string, value: string): Promise<number> {
  const answer = await fetch(`${url}/v1/kv/${key}`, { method: 'PUT', body: value });
  return ((await answer.json()) as { revision: number }).revision;
}

async function read(key: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${url}/v1/kv/${key}`);
  return { status: answer.status, text: await answer.text() };
}

async function rows(): Promise<string[]> {
  return page.locator('.key-row .key-name').allTextContents();
}

async function open(parameters: Readonly<Record<string, string>>): Promise<void> {
  await page.goto(`${url}/ui/#/keys?${new URLSearchParams(parameters)}`);
}

test('keys: folders lead to keys, and the path leads back', async () => {
  await open({});
  await page.getByRole('option', { name: 'services/' }).waitFor();
  assert.deepEqual(await rows(), [
    'certs/',
    'config/',
    'empty',
    'flags/',
    'locks/',
    'services/',
    'sessions/',
    '\\xff\\x00binary/',
  ]);
  await page.getByRole('option', { name: 'services/' }).click();
  await page.getByRole('option', { name: 'billing/' }).click();
  await page.getByText('24 keys at revision').waitFor();
  await page.getByRole('link', { name: 'services/' }).click();
  await page.getByRole('option', { name: 'checkout/' }).waitFor();
  await page.getByRole('listbox').focus();
  await page.keyboard.press('Backspace');
  await page.getByRole('option', { name: 'flags/' }).waitFor();
  await page.goBack();
  await page.getByRole('option', { name: 'checkout/' }).waitFor();
});

test('keys: flat, every key of the prefix is in one list', async () => {
  await open({ prefix: 'services/' });
  await page.getByRole('button', { name: 'Flat' }).click();
  await page.getByRole('option', { name: 'services/auth/instance-0' }).waitFor();
  assert.equal((await rows()).filter((row) => row.endsWith('/')).length, 0);
});

test('keys: a search finds what contains the words, in any case, with * for anything', async () => {
  await open({});
  await page.getByRole('searchbox').fill('CONFIG*json');
  await page.getByText('1 match in').waitFor();
  assert.deepEqual(await rows(), ['config/billing.json']);
  await page.getByRole('searchbox').fill('no such thing');
  await page.getByText('Nothing found').waitFor();
  await page.getByRole('searchbox').press('Escape');
  await page.getByRole('option', { name: 'services/' }).waitFor();
});

test('keys: keys and values that are no text are shown, linked and changed byte for byte', async () => {
  await open({ prefix: '\\xff\\x00binary/', key: '\\xff\\x00binary/key' });
  await page.getByText('00000000  00 25 4a 6f').waitFor();
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'Value' }).fill('00 ff 10');
  await page.getByRole('button', { name: 'Put if unchanged' }).click();
  await page.getByText('00000000  00 ff 10').waitFor();
  const answer = await fetch(`${url}/v1/kv/%ff%00binary/key`);
  assert.deepEqual([...new Uint8Array(await answer.arrayBuffer())], [0, 0xff, 0x10]);
});

test('keys: a key that a browser would take for a place in the path is read and written', async () => {
  await open({});
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByRole('textbox', { name: 'Key' }).fill('a/../b');
  await page.getByRole('textbox', { name: 'Value' }).fill('dots');
  await page.getByRole('button', { name: 'Put', exact: true }).click();
  await page.getByRole('heading', { name: 'a/../b' }).waitFor();
  await page.locator('.value-text', { hasText: 'dots' }).waitFor();
  assert.deepEqual(await read('a%2F..%2Fb'), { status: 200, text: 'dots' });
});

test('keys: a value is text, whatever markup it holds', async () => {
  await put('markup', '<img src=x onerror="document.title=1"><script>document.title=2</script>');
  await open({ key: 'markup' });
  await page.locator('.value-text', { hasText: '<script>' }).waitFor();
  assert.equal(await page.locator('.value-text *').count(), 0);
  assert.equal(await page.title(), 'Keys · Balsa');
});

test('history: what a revision changed, and what changed between any two', async () => {
  await open({ key: 'config/billing.json' });
  await page.getByRole('button', { name: 'History' }).click();
  await page.getByText('4 versions. All of it is kept.').waitFor();
  const changed = async (): Promise<string[]> =>
    page.locator('.diff tr.added .line, .diff tr.removed .line').allTextContents();
  assert.deepEqual(await changed(), [
    '  "workers": 4,',
    '  "workers": 16,',
    '    "dunning"',
    '    "dunning",',
    '    "sepa"',
  ]);
  await page.getByLabel('compared with').selectOption({ index: 3 });
  assert.deepEqual((await changed()).slice(0, 4), [
    '  "workers": 2,',
    '  "logLevel": "debug",',
    '  "workers": 16,',
    '  "logLevel": "info",',
  ]);
});

test('history: deletions are in it, and what was compacted is said to be gone', async () => {
  await put('past', 'one');
  await put('past', 'two');
  await fetch(`${url}/v1/kv/past`, { method: 'DELETE' });
  await put('past', 'three');
  await open({ key: 'past' });
  await page.getByRole('button', { name: 'History' }).click();
  await page.getByText('4 versions').waitFor();
  assert.deepEqual(await page.locator('.version-row .badge').allTextContents(), ['v1', 'delete', 'v2', 'v1']);
  const revision = await put('past', 'four');
  await fetch(`${url}/v1/compact`, { method: 'POST', body: JSON.stringify({ revision: await put('other', 'x') }) });
  await page.reload();
  await page.getByRole('button', { name: 'History' }).click();
  await page.getByText(/1 version\. What was before revision [\d,]+ has been compacted/).waitFor();
  await page.getByText(`r${revision}`).first().waitFor();
  await fetch(`${url}/v1/kv/past`, { method: 'DELETE' });
  await page.reload();
  await page.getByText('There is no such key now').waitFor();
  await page.getByRole('button', { name: 'History' }).click();
  await page
    .getByRole('listbox')
    .getByRole('option', { name: /deleted/ })
    .waitFor();
});

test('edit: shows what will change, and writes nothing until it is told to', async () => {
  await put('edited', 'first line\nsecond line');
  await open({ key: 'edited' });
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'Value' }).fill('first line\nanother line');
  await page.getByText('What will change').click();
  assert.deepEqual(await page.locator('dialog .diff .added .line').allTextContents(), ['another line']);
  await page.getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await read('edited')).text, 'first line\nsecond line');
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'Value' }).fill('first line\nanother line');
  await page.getByRole('button', { name: 'Put if unchanged' }).click();
  await page.locator('.value-text', { hasText: 'another line' }).waitFor();
  assert.equal((await read('edited')).text, 'first line\nanother line');
});

test('edit: who is slower is told what is there now, and loses nothing', async () => {
  await put('contested', 'base');
  await open({ key: 'contested' });
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'Value' }).fill('mine');
  const revision = await put('contested', 'theirs');
  await page.getByRole('button', { name: 'Put if unchanged' }).click();
  await page.getByText(`Somebody was quicker: the key is at revision ${revision} now. Nothing was written.`).waitFor();
  assert.equal((await read('contested')).text, 'theirs');
  assert.deepEqual(await page.locator('dialog .diff .line').allTextContents(), ['theirs', 'mine']);
  await page.getByRole('button', { name: 'Put if unchanged' }).click();
  await page.locator('.value-text', { hasText: 'mine' }).waitFor();
  assert.equal((await read('contested')).text, 'mine');
});

test('edit: a new key never replaces one that is there', async () => {
  await put('taken', 'theirs');
  await open({});
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByRole('textbox', { name: 'Key' }).fill('taken');
  await page.getByRole('button', { name: 'Put', exact: true }).click();
  await page.getByText('Somebody was quicker').waitFor();
  assert.equal((await read('taken')).text, 'theirs');
});

test('delete: asks, and deletes only what was shown', async () => {
  await put('doomed', 'x');
  await open({ key: 'doomed' });
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await read('doomed')).status, 200);
  await page.getByRole('button', { name: 'Delete' }).click();
  await put('doomed', 'changed');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText(/The key changed meanwhile/).waitFor();
  assert.equal((await read('doomed')).text, 'changed');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await page.locator('.value-text', { hasText: 'changed' }).waitFor();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await eventually('the key is gone', 5000, async () => (await read('doomed')).status === 404);
});

test('keys: an empty store says how to begin', async () => {
  await using empty = await ProcessCluster.start(1);
  const { page } = await openPage(browser, empty.node(0).url);
  await page.goto(`${empty.node(0).url}/ui/#/keys`);
  await page.getByText('No keys yet').waitFor();
  await page.getByText(`curl -X PUT ${empty.node(0).url}/v1/kv/hello -d world`).waitFor();
  await page.context().close();
});
