import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { eventually, ProcessCluster } from '../support/processes.ts';
import { openBrowser, openPage } from './browser.ts';

let cluster: ProcessCluster;
let browser: Browser;
let url: string;
before(async () => {
  [cluster, browser] = await Promise.all([ProcessCluster.start(1), openBrowser()]);
  url = cluster.node(0).url;
});
after(async () => {
  await browser?.close();
  await cluster?.[Symbol.asyncDispose]();
});

async function put(key: string, value: string, query = ''): Promise<number> {
  const answer = await fetch(`${url}/v1/kv/${key}${query}`, { method: 'PUT', body: value });
  return ((await answer.json()) as { revision: number }).revision;
}

async function keysShown(page: Page): Promise<string[]> {
  return page.locator('.event-row .key-name').allTextContents();
}

test('watch: shows what happens to a prefix, with what it replaced', async () => {
  const { page, faults } = await openPage(browser, url);
  await put('live/a', 'before');
  await page.goto(`${url}/ui/#/watch?prefix=live/`);
  await page.getByText(/Live at revision/).waitFor();
  await put('other', 'unseen');
  await put('live/a', 'after');
  await fetch(`${url}/v1/kv/live/a`, { method: 'DELETE' });
  await page
    .getByRole('listbox')
    .getByRole('option', { name: /delete/ })
    .waitFor();
  assert.deepEqual(await keysShown(page), ['live/a', 'live/a']);
  await page.getByRole('listbox').getByRole('option', { name: /put/ }).click();
  assert.deepEqual(await page.locator('.event-detail .diff .line').allTextContents(), ['before', 'after']);
  await page.getByRole('link', { name: 'live/a' }).click();
  await page.getByText('There is no such key now').waitFor();
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('watch: goes on without a gap after the member was away', async () => {
  const { page, faults } = await openPage(browser, url);
  await page.goto(`${url}/ui/#/watch?prefix=gap/`);
  await page.getByText(/Live at revision/).waitFor();
  await put('gap/1', 'x');
  await page.getByRole('option', { name: /gap\/1/ }).waitFor();
  await cluster.node(0).kill();
  await page.getByText(/Trying again/).waitFor();
  cluster.node(0).start();
  await cluster.ready();
  await put('gap/2', 'x');
  await page.getByRole('option', { name: /gap\/2/ }).waitFor();
  assert.deepEqual(await keysShown(page), ['gap/2', 'gap/1']);
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('watch: from a revision of the past, or told that it is compacted', async () => {
  const { page } = await openPage(browser, url);
  const revision = await put('past/1', 'x');
  await put('past/2', 'x');
  await page.goto(`${url}/ui/#/watch?prefix=past/&revision=${revision}`);
  await page.getByRole('option', { name: /past\/2/ }).waitFor();
  assert.deepEqual(await keysShown(page), ['past/2', 'past/1']);
  const compacted = await put('past/3', 'x');
  await fetch(`${url}/v1/compact`, { method: 'POST', body: JSON.stringify({ revision: compacted }) });
  await page.getByLabel('From revision').fill(`${revision - 1}`);
  await page.getByRole('button', { name: 'Watch' }).click();
  await page.getByText(`That revision is compacted; the oldest that can be watched from is ${compacted}.`).waitFor();
  await page.context().close();
});

test('watch: a flood of events is counted in full, and the page stays quick', async () => {
  const { page } = await openPage(browser, url);
  await page.goto(`${url}/ui/#/watch?prefix=flood/`);
  await page.getByText(/Live at revision/).waitFor();
  await watchLongTasks(page);
  for (let batch = 0; batch < 80; batch++) {
    const then = Array.from({ length: 100 }, (_, i) => ({
      put: { key: `flood/${batch}/${i}`, value: 'x'.repeat(100) },
    }));
    await fetch(`${url}/v1/txn`, { method: 'POST', body: JSON.stringify({ then }) });
  }
  await page.getByText('8,000 events').waitFor();
  assert.ok((await longestTaskMs(page)) < 400, `the page stood still for ${await longestTaskMs(page)} ms`);
  await page.context().close();
});

test('leases: the time that is left goes by, and one can renew and revoke after being asked', async () => {
  const { page, faults } = await openPage(browser, url);
  const granted = await fetch(`${url}/v1/leases`, { method: 'POST', body: JSON.stringify({ ttl: 300 }) });
  const { id } = (await granted.json()) as { id: string };
  await put('leased/key', 'x', `?lease=${id}`);
  await page.goto(`${url}/ui/#/leases`);
  const left = page.locator(`[data-lease="${id}"] span`);
  await page.getByRole('link', { name: 'leased/key' }).waitFor();
  const first = await left.textContent();
  await eventually('time goes by', 10_000, async () => (await left.textContent()) !== first);
  await eventually('less than all is left', 10_000, async () => /^4 min/.test((await left.textContent()) ?? ''));
  await page.getByRole('button', { name: `Renew lease ${id}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Renew' }).click();
  await eventually('all of it is left', 3000, async () =>
    /^(5 min|4 min 59 s)$/.test((await left.textContent()) ?? ''),
  );
  await page.getByRole('button', { name: `Revoke lease ${id}` }).click();
  await page.getByRole('dialog').getByText('leased/key').waitFor();
  assert.equal((await fetch(`${url}/v1/kv/leased/key`)).status, 200);
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('No leases').waitFor();
  assert.equal((await fetch(`${url}/v1/kv/leased/key`)).status, 404);
  await page.getByRole('button', { name: 'Grant a lease' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Grant' }).click();
  await page.locator('.lease-left').waitFor();
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('keys: a hundred thousand of them are scrolled and searched without standing still', async () => {
  for (let batch = 0; batch < 1000; batch++) {
    const then = Array.from({ length: 100 }, (_, i) => {
      const number = `${batch * 100 + i}`.padStart(6, '0');
      return { put: { key: `many/${number.slice(0, 3)}/${number}`, value: number } };
    });
    await fetch(`${url}/v1/txn`, { method: 'POST', body: JSON.stringify({ then }) });
  }
  const { page, faults } = await openPage(browser, url);
  await watchLongTasks(page);
  await page.goto(`${url}/ui/#/keys?prefix=many/`);
  await page.getByText('100,000 keys at revision').waitFor();
  await page.getByRole('button', { name: 'Flat' }).click();
  await page.getByRole('option', { name: 'many/000/000000' }).waitFor();
  await page.getByRole('listbox').focus();
  await eventually('the end of the list is reached', 60_000, async () => {
    await page.keyboard.press('End');
    return (await page.getByRole('option', { name: 'many/099/099999' }).count()) > 0;
  });
  await page.getByRole('searchbox').fill('*77777');
  await page.getByText('1 match in 100,000 keys').waitFor();
  assert.ok((await longestTaskMs(page)) < 400, `the page stood still for ${await longestTaskMs(page)} ms`);
  assert.ok((await page.locator('.virtual-row').count()) < 100);
  assert.deepEqual(faults, []);
  await page.context().close();
});

/** From here on, and in every document to come. */
async function watchLongTasks(page: Page): Promise<void> {
  const script = `globalThis.longestTask = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.longestTask = Math.max(globalThis.longestTask, duration);
    }).observe({ type: 'longtask' })`;
  await page.addInitScript(script);
  await page.evaluate(script);
}

function longestTaskMs(page: Page): Promise<number> {
  return page.evaluate('globalThis.longestTask') as Promise<number>;
}
