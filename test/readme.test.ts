import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { configFile, options } from '../src/server/options.ts';
import { eventually } from './support/processes.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const scratch = mkdtempSync(join(tmpdir(), 'balsa-readme-'));

interface Example {
  readonly command: string;
  readonly output: string;
}

/** The cluster of the README's first command, on the ports that its tour uses; only the data goes elsewhere. */
let cluster: ReturnType<typeof spawn>;

before(async () => {
  assert.match(readme, /npm ci && npm run cluster/);
  cluster = spawn('npm', ['run', 'cluster', '--', `--data-dir=${join(scratch, 'cluster')}`], {
    cwd: root,
    detached: true,
    stdio: 'ignore',
  });
  await eventually('the cluster is ready', 20_000, async () => (await fetch('http://localhost:32379/readyz')).ok);
});

after(async () => {
  if (cluster.pid !== undefined) process.kill(-cluster.pid, 'SIGINT');
  await once(cluster, 'exit');
  rmSync(scratch, { recursive: true, force: true });
});

test('README: every command of the tour and of the command line prints what stands there', async () => {
  const all = examples(readme);
  assert.ok(all.length > 10, `only ${all.length} examples were found`);
  for (const { command, output } of all) {
    const { stdout } = await promisify(execFile)('bash', ['-c', command], { cwd: root });
    assert.equal(withoutIds(stdout.trimEnd()), withoutIds(output), `$ ${command}`);
  }
});

test('README: the program runs as it stands there', async () => {
  const [, source] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  assert.ok(source !== undefined);
  const program = source
    .replace("'./data'", JSON.stringify(join(scratch, 'embedded')))
    .replace('listenClientUrls:', "listenPeerUrls: ['http://127.0.0.1:0'], listenClientUrls:");
  // The package is imported by its own name, as a program that depends on it would.
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: root,
    timeout: 20_000,
  });
});

test('README: the flags are those of `balsa serve`, with the same words', () => {
  for (const { flag, help, defaultText } of [...Object.values(options), { ...configFile, defaultText: 'none' }]) {
    const row = `| \`--${flag}\` | ${help} | ${defaultText} |`;
    assert.ok(readme.includes(row), `README.md lacks this row:\n${row}`);
  }
});

/** The `$ command` lines of the console blocks, each with the lines up to the next. */
function examples(markdown: string): Example[] {
  const found: Example[] = [];
  for (const [, block = ''] of markdown.matchAll(/```console\n([\s\S]*?)```/g)) {
    for (const part of block.split(/^\$ /m).slice(1)) {
      const [command = '', ...output] = part.trimEnd().split('\n');
      found.push({ command, output: output.join('\n') });
    }
  }
  return found;
}

/** Member ids and uptimes differ from machine to machine. */
function withoutIds(text: string): string {
  return text.replaceAll('\r', '').replace(/\b[0-9a-f]{14,16}\b/g, '<id>');
}
