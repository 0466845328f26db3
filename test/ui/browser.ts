import { accessSync, constants } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const usual = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser of this machine; `CHROMIUM` names another one. */
export async function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserPath(),
    // In a container there is no user namespace for its sandbox, and little shared memory.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--hide-scrollbars'],
  });
}

function browserPath(): string {
  const named = process.env['CHROMIUM'];
  const found = (named === undefined ? usual : [named]).find(isExecutable);
  if (found !== undefined) return found;
  const where = named === undefined ? 'on this machine' : `at ${named}`;
  throw new Error(
    `there is no Chromium ${where}: install it (Debian: apt-get install chromium), or name it: CHROMIUM=/path/to/chrome npm run test:ui`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface PageOptions {
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  readonly scale?: number;
}

/** The page of a member, and everything that went wrong in it. */
export async function openPage(
  browser: Browser,
  url: string,
  { theme = 'light', width = 1280, height = 840, scale = 1 }: PageOptions = {},
): Promise<{ readonly page: Page; readonly faults: readonly string[] }> {
  const context = await browser.newContext({
    colorScheme: theme,
    viewport: { width, height },
    deviceScaleFactor: scale,
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`${error}`));
  page.on('console', (message) => {
    const { url } = message.location();
    // What a member refuses, or does not answer, the page shows; the console says it once more.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) {
      faults.push(`${message.text()} (${url})`);
    }
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) faults.push(`asked for something from elsewhere: ${request.url()}`);
  });
  await page.goto(`${url}/ui/`);
  return { page, faults };
}
