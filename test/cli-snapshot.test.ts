import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { hangUp } from '../src/client/testing/endpoint.ts';
import { sampleBackup } from '../src/server/testing/sample-backup.ts';
import { ScriptedCommands } from './support/scripted-commands.ts';

const commands = new ScriptedCommands();
afterEach(() => commands.closeAll());

let scratch: string;
let backup: Buffer;
let file: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'balsa-snapshot-'));
  backup = await sampleBackup({ keys: 40 });
  file = join(scratch, 'sample.backup');
  await writeFile(file, backup);
});
after(() => rm(scratch, { recursive: true }));

const headers = { 'content-type': 'application/vnd.balsa.backup', 'balsa-snapshot-revision': '41' };

/** A command that asks nobody. */
function output(line: string): Promise<string> {
  return commands.output(hangUp, line);
}

function refused(message: RegExp, line: string): Promise<void> {
  return commands.fails(1, message, hangUp, line);
}

test('snapshot save: the file is there when it is whole, and says so', async () => {
  const answer: RequestListener = (_request, response) => void response.writeHead(200, headers).end(backup);
  const path = join(scratch, 'saved.backup');
  const said = await commands.output(answer, `snapshot save ${path}`);
  assert.match(said, /^\/.*\/saved\.backup: revision 41, 40 keys, \d+\.\d KiB; it is whole\.\n$/);
  assert.ok((await readFile(path)).equals(backup));
});

test('snapshot save: one that is cut off is an error, and leaves nothing', async () => {
  const answer: RequestListener = (_request, response) => {
    response.writeHead(200, headers).write(backup.subarray(0, 500), () => response.destroy());
  };
  const path = join(scratch, 'cut.backup');
  await commands.fails(1, /^balsa: unavailable: http.* broke the connection/, answer, `snapshot save ${path}`);
  assert.deepEqual(
    (await readdir(scratch)).filter((name) => name.startsWith('cut')),
    [],
  );
});

test('snapshot status and verify: what is in it, and whether it can be restored', async () => {
  const [head, row] = (await output(`snapshot status ${file}`)).split('\n');
  assert.match(head ?? '', /^REVISION +COMPACTED +KEYS +SIZE +CLUSTER ID +MEMBERS +WRITTEN BY$/);
  assert.match(row ?? '', /^41 +0 +40 +\S+ KiB +cdf818194e3a8c32 +node-a1,node-b2,node-c3 +0\.1\.0$/);
  assert.match(
    await output(`snapshot verify ${file}`),
    / can be restored: revision 41, 40 keys, \d+ records, all read\.\n$/,
  );
  const altered = Buffer.from(backup);
  altered[1500] = (altered[1500] ?? 0) ^ 1;
  await writeFile(`${file}.altered`, altered);
  await refused(
    /^balsa: The backup cannot be used: a checksum does not fit \(at byte \d+\)/,
    `snapshot verify ${file}.altered`,
  );
  await refused(/^balsa: ENOENT: no such file or directory, .*none\.backup/, `snapshot status ${scratch}/none.backup`);
});

test('snapshot restore: each member of the new cluster by itself, and never over something', async () => {
  const cluster = '--initial-cluster n1=http://localhost:1,n2=http://localhost:2';
  const [one, two] = [join(scratch, 'n1'), join(scratch, 'n2')];
  const first = JSON.parse(await output(`snapshot restore ${file} --data-dir ${one} --name n1 ${cluster} -o json`));
  const said = await output(`snapshot restore ${file} --data-dir ${two} --name n2 ${cluster}`);
  assert.match(
    said,
    /^The backup of revision 41 is now n2 \([0-9a-f]+\) of the new cluster [0-9a-f]+, which goes on from revision 10000000\d+\./,
  );
  assert.ok(said.includes(first.clusterId) && !said.includes(first.memberId), said);
  assert.match(said, /\nRestore the same file for n1, with the same --initial-cluster, before you start them\.\n/);
  assert.notEqual(first.clusterId, 'cdf818194e3a8c32');
  await refused(
    /^balsa: .*n2: The data directory is not empty \(/,
    `snapshot restore ${file} --data-dir ${two} --name n1 ${cluster}`,
  );
});

test('recover: makes a cluster of one member, if that is said aloud', async () => {
  const dataDir = join(scratch, 'lost');
  const cluster = '--initial-cluster n1=http://localhost:1,n2=http://localhost:2';
  const { clusterId } = JSON.parse(
    await output(`snapshot restore ${file} --data-dir ${dataDir} --name n1 ${cluster} -o json`),
  );
  await refused(
    /^balsa: recover makes a new cluster of this one member, .* say --force-new-cluster/,
    `recover --data-dir ${dataDir}`,
  );
  const said = await output(`recover --force-new-cluster --data-dir ${dataDir}`);
  assert.match(
    said,
    /^n1 \([0-9a-f]+\) is now the only member of the new cluster [0-9a-f]+, which goes on from revision 20000000\d+\.\n/,
  );
  assert.ok(!said.includes(clusterId));
  assert.match(said, /\nWhat was there before is kept in .*replaced-1\.\n/);
  await refused(/There is no data of a member/, `recover --force-new-cluster --data-dir ${scratch}/nobody`);
});
