import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { ProcessCluster } from '../test/support/processes.ts';
import { openBrowser, openPage } from '../test/ui/browser.ts';
import { putExamples } from '../test/ui/example-data.ts';

// The pictures of docs/images: a cluster with some data, under some load, long enough that the charts have something to tell.

const images = fileURLToPath(new URL('../docs/images/', import.meta.url));
mkdirSync(images, { recursive: true });

await using cluster = await ProcessCluster.start(3);
const url = cluster.node(0).url;
await putExamples(url);
const stopped = new AbortController();
const load = runLoad(url, stopped.signal);
const browser = await openBrowser();
try {
  const light = await openPage(browser, url, { scale: 1.5 });
  const dark = await openPage(browser, url, { theme: 'dark', scale: 1.5 });
  await new Promise((resolve) => setTimeout(resolve, Number(process.argv[2] ?? 120) * 1000));
  await shoot(light.page, 'overview');
  await shoot(dark.page, 'overview-dark');

  await light.page.goto(`${url}/ui/#/keys?prefix=config%2F&key=config%2Fbilling.json`);
  await light.page.getByRole('button', { name: 'History' }).click();
  await light.page
    .getByRole('listbox', { name: /Versions/ })
    .getByRole('option')
    .first()
    .click();
  await shoot(light.page, 'keys');
  await dark.page.goto(`${url}/ui/#/keys?prefix=config%2F&key=config%2Fbilling.json`);
  await dark.page.getByRole('button', { name: 'Edit' }).click();
  await dark.page
    .getByRole('textbox', { name: 'Value' })
    .fill('{"workers":32,"logLevel":"warn","listen":"0.0.0.0:8080"}');
  await dark.page.getByText('What will change').click();
  await shoot(dark.page, 'edit-dark');

  await light.page.goto(`${url}/ui/#/watch`);
  await light.page.getByRole('option').nth(8).click();
  await shoot(light.page, 'watch');
  await light.page.goto(`${url}/ui/#/leases`);
  await light.page.getByRole('row').nth(2).waitFor();
  await shoot(light.page, 'leases');
  await cluster.node(2).kill();
  await light.page.goto(`${url}/ui/#/members`);
  await light.page.getByText('unreachable').first().waitFor();
  await shoot(light.page, 'members');
  await dark.page.goto(`${url}/ui/#/overview`);
  await dark.page.keyboard.press('Escape');
  await dark.page.getByText('cannot be reached').first().waitFor();
  await shoot(dark.page, 'lost-node-dark');
} finally {
  stopped.abort();
  await load;
  await browser.close();
}

async function shoot(page: Page, name: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 500));
  await page.screenshot({ path: `${images}${name}.png` });
}

/** Some writes and reads that come and go. */
async function runLoad(url: string, signal: AbortSignal): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    const many = 8 + Math.round(6 * Math.sin(i / 160)) + (i % 97 === 0 ? 40 : 0);
    await Promise.all(
      Array.from({ length: many }, async (_, n) => {
        await fetch(`${url}/v1/kv/services/billing/instance-${n % 24}`, {
          method: 'PUT',
          body: `10.0.3.${n}:${8080 + (i % 9)}`,
        });
        await fetch(`${url}/v1/kv/services/billing/instance-${n % 24}`);
      }),
    ).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}
