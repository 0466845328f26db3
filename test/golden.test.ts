import assert from 'node:assert/strict';
import { chmodSync, cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Golden, observe } from './golden/observe.ts';
import { eventually, ProcessCluster } from './support/processes.ts';

const directory = fileURLToPath(new URL('golden/', import.meta.url));
const versions = readdirSync(directory).filter((name) => /^\d/.test(name));

test('golden: there is a directory of every version before this one, and of this one', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const [major, minor] = version.split('.').map(Number) as [number, number];
  assert.equal(major, 0, 'another major version: say here which ones are still opened');
  const expected = Array.from({ length: minor }, (_, i) => `0.${i + 1}`);
  assert.deepEqual(versions, expected, 'see test/golden/README.md');
});

for (const version of versions) {
  test(`golden: a data directory that ${version} wrote is opened, and holds what it held`, async () => {
    const golden = JSON.parse(readFileSync(join(directory, version, 'golden.json'), 'utf8')) as Golden;
    await using cluster = await ProcessCluster.prepare(1);
    const dataDir = join(cluster.node(0).spec.dataDir, 'golden');
    copy(join(directory, version, 'data'), dataDir);
    const node = cluster.another(['--name=golden', `--data-dir=${dataDir}`]);
    const ready = () => eventually('it is ready', 30_000, async () => (await node.get('/readyz')).ok);

    node.start();
    await ready();
    assert.deepEqual(await observe(node.url, golden), golden.observed);

    // What it makes of it is not only readable: it goes on, and comes back.
    const put = await fetch(`${node.url}/v1/kv/after`, { method: 'PUT', body: 'the upgrade' });
    assert.equal(put.status, 201);
    await node.kill();
    node.start();
    await ready();
    const { present, ...rest } = await observe(node.url, golden);
    const { present: before, ...restBefore } = golden.observed;
    assert.deepEqual(rest, { ...restBefore, revision: restBefore.revision + 1 });
    assert.equal((present as unknown[]).length, (before as unknown[]).length + 1);
  });
}

/** With the rights that a member insists on, which git does not keep. */
function copy(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
  chmodSync(to, 0o700);
  for (const entry of readdirSync(to, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
  }
}
