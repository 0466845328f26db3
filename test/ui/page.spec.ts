import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { eventually, ProcessCluster } from '../support/processes.ts';
import { openBrowser, openPage } from './browser.ts';
import { putExamples } from './example-data.ts';

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

let cluster: ProcessCluster;
let browser: Browser;
before(async () => {
  [cluster, browser] = await Promise.all([ProcessCluster.start(3), openBrowser()]);
  await putExamples(cluster.node(0).url);
});
after(async () => {
  await browser?.close();
  await cluster?.[Symbol.asyncDispose]();
});

/** What a reader of the screen, or of little contrast, would stumble over. */
async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run()')) as {
    violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
}

test('page: every member serves it, and it loads nothing from elsewhere', async () => {
  for (const { url, spec } of cluster.nodes) {
    const { page, faults } = await openPage(browser, url);
    await page.getByRole('heading', { name: 'All 3 members are well.' }).waitFor();
    await page.getByText(spec.name, { exact: true }).first().waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  }
});

const views: readonly (readonly [hash: string, ready: string])[] = [
  ['#/overview', '.member-card'],
  ['#/keys', '.key-row'],
  ['#/keys?prefix=config/&key=config/billing.json', '.value-text'],
  ['#/keys?key=nothing-there', '.key-article .state'],
  ['#/watch?revision=1', '.event-row'],
  ['#/leases', '.lease-left'],
  ['#/members', '.member-row'],
];
for (const theme of ['light', 'dark'] as const) {
  test(`page: no view has a barrier, ${theme}`, async () => {
    const { page, faults } = await openPage(browser, cluster.node(1).url, { theme });
    for (const [hash, ready] of views) {
      await page.goto(`${cluster.node(1).url}/ui/${hash}`);
      await page.locator(ready).first().waitFor();
      assert.deepEqual(await barriers(page), [], hash);
    }
    await page.goto(`${cluster.node(1).url}/ui/#/keys?prefix=config/&key=config/billing.json`);
    await page.getByRole('button', { name: 'History' }).click();
    await page.locator('.diff').waitFor();
    assert.deepEqual(await barriers(page), [], 'history');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByText('What will change').click();
    assert.deepEqual(await barriers(page), [], 'editor');
    assert.deepEqual(faults, []);
    await page.context().close();
  });
}

test('page: everything can be reached by keyboard', async () => {
  const { page } = await openPage(browser, cluster.node(0).url);
  await page.getByRole('heading', { name: /members are well/ }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('k');
  await page.getByRole('option').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('billing.json');
  await page.getByText('1 match in').waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'config/billing.json' }).waitFor();
  await page.keyboard.press('e');
  await page.getByRole('dialog', { name: 'Edit the value' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  for (const [letter, title] of [
    ['w', 'Watch'],
    ['l', 'Leases'],
    ['m', 'Members'],
    ['o', 'Overview'],
  ] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(letter);
    await eventually(`${title} is shown`, 5000, async () => (await page.title()) === `${title} · Balsa`);
  }
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await page.context().close();
});

test('page: the theme is that of the system until one chooses, and the choice stays', async () => {
  const { page } = await openPage(browser, cluster.node(0).url, { theme: 'dark' });
  const paper = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
  assert.equal(await paper(), 'rgb(18, 17, 15)');
  await page.keyboard.press('t');
  assert.equal(await paper(), 'rgb(246, 243, 237)');
  await page.reload();
  assert.equal(await paper(), 'rgb(246, 243, 237)');
  await page.context().close();
});

test('page: it fits the screen of a telephone', async () => {
  const { page } = await openPage(browser, cluster.node(0).url, { width: 390, height: 800 });
  for (const [hash, ready] of views) {
    await page.goto(`${cluster.node(0).url}/ui/${hash}`);
    await page.locator(ready).first().waitFor();
    const beyond = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    assert.equal(beyond, 0, hash);
  }
  await page.context().close();
});

test('page: a lost node is shown, and said what it means', async () => {
  const { page, faults } = await openPage(browser, cluster.node(0).url);
  await page.getByRole('heading', { name: 'All 3 members are well.' }).waitFor();
  await cluster.node(2).kill();
  await page
    .getByRole('heading', { name: 'node3 cannot be reached. The cluster works, and cannot lose another one.' })
    .waitFor();
  await page.getByText(/Not heard of for/).waitFor();
  await cluster.node(1).kill();
  await page.getByRole('heading', { name: /There is no leader: 1 of 3 voters can be reached, 2 are needed/ }).waitFor();
  for (const index of [1, 2]) cluster.node(index).start();
  await cluster.ready();
  await page.getByRole('heading', { name: 'All 3 members are well.' }).waitFor();
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('page: when its own member is lost it says so, leads to the others, and comes back by itself', async () => {
  const { page, faults } = await openPage(browser, cluster.node(0).url);
  await page.getByRole('heading', { name: 'All 3 members are well.' }).waitFor();
  await cluster.node(0).kill();
  await page.getByText('This member cannot be reached.').waitFor();
  const other = page.getByRole('link', { name: 'Open node2' });
  assert.equal(await other.getAttribute('href'), `${cluster.node(1).url}/ui/`);
  await page.keyboard.press('g');
  await page.keyboard.press('k');
  await page.getByRole('alert').getByText('No answer').waitFor();
  cluster.node(0).start();
  await cluster.ready();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('option').first().waitFor();
  await page.getByText('This member cannot be reached.').waitFor({ state: 'hidden' });
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('page: a change of the members is asked for first, and one that cannot be taken back by its name', async () => {
  const { page } = await openPage(browser, `${cluster.node(0).url}`);
  const posted: string[] = [];
  page.on('request', (request) => request.method() !== 'GET' && posted.push(request.url()));
  await page.goto(`${cluster.node(0).url}/ui/#/members`);
  await page.getByRole('button', { name: 'Remove: node3' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove node3?' });
  const remove = dialog.getByRole('button', { name: 'Remove for good' });
  assert.equal(await remove.isDisabled(), true);
  await dialog.getByRole('textbox').fill('node3');
  assert.equal(await remove.isDisabled(), false);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page
    .getByRole('button', { name: /^Make leader/ })
    .first()
    .click();
  await page
    .getByRole('dialog')
    .getByText(/hands over/)
    .waitFor();
  await page.keyboard.press('Escape');
  await eventually('the dialog is gone', 5000, async () => (await page.getByRole('dialog').count()) === 0);
  assert.deepEqual(posted, []);
  await page.context().close();
});
