import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { eventually, freePorts, ProcessCluster } from '../support/processes.ts';
import { openBrowser, openPage } from './browser.ts';

interface Members {
  readonly leader: string;
  readonly members: readonly { readonly id: string; readonly name: string; readonly role: string }[];
}

let cluster: ProcessCluster;
let browser: Browser;
let url: string;
before(async () => {
  [cluster, browser] = await Promise.all([ProcessCluster.start(3), openBrowser()]);
  url = cluster.node(0).url;
});
after(async () => {
  await browser?.close();
  await cluster?.[Symbol.asyncDispose]();
});

async function members(): Promise<Members> {
  return (await fetch(`${url}/v1/cluster`).then((answer) => answer.json())) as Members;
}

test('members: one is added, refused a vote that it cannot have, and removed', async () => {
  const { page, faults } = await openPage(browser, url);
  await page.goto(`${url}/ui/#/members`);
  const [port] = await freePorts(1);
  await page.getByRole('button', { name: 'Add a member' }).click();
  await page.getByLabel('Peer URLs').fill('not a url');
  await page.getByRole('button', { name: 'Add as a learner' }).click();
  await page
    .getByRole('alert')
    .getByText(/not a url|URL/)
    .waitFor();
  await page.getByLabel('Peer URLs').fill(`http://127.0.0.1:${port}`);
  await page.getByLabel('It gets its vote').selectOption('manual');
  await page.getByRole('button', { name: 'Add as a learner' }).click();
  await page.getByText('The member is added. Start it now.').waitFor();
  const learner = (await members()).members.find(({ role }) => role === 'learner');
  assert.ok(learner !== undefined);
  await page.getByRole('heading', { name: 'not started yet' }).waitFor();

  await page.getByRole('button', { name: /^Promote/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Promote' }).click();
  await page.locator('.dialog-failure p').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await members()).members.find(({ id }) => id === learner.id)?.role, 'learner');

  await page.getByRole('button', { name: `Remove: ${learner.id}` }).click();
  await page.getByRole('dialog').getByRole('textbox').fill(learner.id);
  await page.getByRole('button', { name: 'Remove for good' }).click();
  await eventually('it is removed', 10_000, async () => (await members()).members.length === 3);
  await page.getByRole('heading', { name: 'not started yet' }).waitFor({ state: 'detached' });
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('members: leadership moves to the one that is chosen', async () => {
  const { page, faults } = await openPage(browser, url);
  await page.goto(`${url}/ui/#/members`);
  const make = page.getByRole('button', { name: /^Make leader/ }).first();
  const name = ((await make.getAttribute('aria-label')) ?? '').replace('Make leader: ', '');
  await make.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make leader' }).click();
  await page.getByText(`${name} leads`, { exact: true }).waitFor();
  const now = await members();
  assert.equal(now.members.find(({ id }) => id === now.leader)?.name, name);
  assert.deepEqual(faults, []);
  await page.context().close();
});
