import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { openIdentity, parseIdentity, readIdentity } from './identity.ts';

const identity = { clusterId: 'cafe', memberId: 'a1', name: 'n1' };

test('identity: a new directory is given one, which comes back', async (t) => {
  const dataDir = await temporaryDirectory(t);
  assert.equal(await readIdentity(dataDir), undefined);
  assert.deepEqual(await openIdentity(dataDir, identity), identity);
  assert.deepEqual(await openIdentity(dataDir, identity), identity);
  assert.deepEqual(await readIdentity(dataDir), identity);
  assert.deepEqual(await readdir(dataDir), ['identity.json']);
});

test('identity: directory and file are private', async (t) => {
  const dataDir = await temporaryDirectory(t);
  await openIdentity(dataDir, identity);
  assert.equal((await stat(dataDir)).mode & 0o777, 0o700);
  assert.equal((await stat(join(dataDir, 'identity.json'))).mode & 0o777, 0o600);
  await chmod(dataDir, 0o755);
  await assert.rejects(openIdentity(dataDir, identity), {
    name: 'StorageRefused',
    message: new RegExp(`chmod 700 ${dataDir}`),
  });
});

test('identity: the directory of another cluster or member is refused in one line', async (t) => {
  const dataDir = await temporaryDirectory(t);
  await openIdentity(dataDir, identity);
  for (const other of [{ clusterId: 'beef' }, { memberId: 'b2' }]) {
    await assert.rejects(openIdentity(dataDir, { ...identity, ...other }), {
      name: 'StorageRefused',
      message: /^[^\n]*belongs to member a1 \(n1\) of cluster cafe, not to member [^\n]*$/,
    });
  }
});

test('identity: a member may be called by another name', async (t) => {
  const dataDir = await temporaryDirectory(t);
  await openIdentity(dataDir, identity);
  assert.deepEqual(await openIdentity(dataDir, { ...identity, name: 'n2' }), identity);
});

test('identity: one that is missing beside data was lost', async (t) => {
  const dataDir = await temporaryDirectory(t);
  await mkdir(join(dataDir, 'log'), { recursive: true, mode: 0o700 });
  await chmod(dataDir, 0o700);
  await assert.rejects(openIdentity(dataDir, identity), {
    name: 'DamagedStorage',
    message: /no identity.json.*\(log\)/,
  });
  assert.deepEqual(await readdir(dataDir), ['log']);
});

test('identity: a crash while it is made leaves an empty directory', async (t) => {
  const dataDir = await temporaryDirectory(t);
  await mkdir(dataDir, { mode: 0o700 });
  await writeFile(join(dataDir, 'identity.json.new'), '{"formatVer');
  assert.deepEqual(await openIdentity(dataDir, identity), identity);
  assert.deepEqual(await readdir(dataDir), ['identity.json']);
});

test('identity: every changed byte of a value is damage; another layout is not', async (t) => {
  const dataDir = await temporaryDirectory(t);
  await openIdentity(dataDir, identity);
  const path = join(dataDir, 'identity.json');
  const text = await readFile(path, 'utf8');
  assert.deepEqual(parseIdentity(JSON.stringify(JSON.parse(text))), identity);
  for (const [from, to] of [
    ['cafe', 'cafd'],
    ['"a1"', '"a2"'],
    ['n1', 'n2'],
    ['"checksum": "', '"checksum": "0'],
    ['}', ''],
  ] as const) {
    assert.equal(parseIdentity(text.replace(from, to)), undefined, `${from} became ${to}`);
  }
  await writeFile(path, text.replace('cafe', 'cafd'));
  await assert.rejects(openIdentity(dataDir, identity), { name: 'DamagedStorage', message: /The file is damaged/ });
});

test('identity: the token that a cluster was founded with is kept, whole or not at all', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const founder = { ...identity, token: 'balsa-cluster' };
  assert.deepEqual(await openIdentity(dataDir, founder), founder);
  assert.deepEqual(await openIdentity(dataDir, identity), founder);
  const text = await readFile(join(dataDir, 'identity.json'), 'utf8');
  for (const [from, to] of [
    ['balsa-cluster', 'balsa-clusteR'],
    ['"token"', '"taken"'],
    ['"tokenChecksum"', '"tokenchecksum"'],
  ] as const) {
    assert.equal(parseIdentity(text.replace(from, to)), undefined, `${from} became ${to}`);
  }
  const before = JSON.stringify({ ...JSON.parse(text), token: undefined, tokenChecksum: undefined });
  assert.deepEqual(parseIdentity(before), identity);
});

test('identity: a newer format is refused, not damaged', async (t) => {
  const dataDir = await temporaryDirectory(t);
  await openIdentity(dataDir, identity);
  const path = join(dataDir, 'identity.json');
  await writeFile(path, (await readFile(path, 'utf8')).replace('"formatVersion": 1', '"formatVersion": 2'));
  await assert.rejects(openIdentity(dataDir, identity), { name: 'StorageRefused', message: /has the format 2/ });
});

test('identity: a text of any kind is refused without an error', () => {
  const seed = 9;
  const random = seededRandom(seed);
  const text = '{"formatVersion":1,"clusterId":"cafe","memberId":"a1","name":"n1","checksum":"00000000"}';
  for (const odd of [
    '',
    'null',
    '[]',
    '1',
    '"x"',
    '{}',
    '{"__proto__":1}',
    '{"formatVersion":"1"}',
    '['.repeat(100_000),
  ]) {
    assert.equal(parseIdentity(odd), undefined);
  }
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(text);
    for (let i = random.below(4); i >= 0; i--) bytes[random.below(bytes.length)] = random.below(256);
    const parsed = parseIdentity(bytes.toString());
    assert(parsed === undefined || 'unknownVersion' in parsed, `seed ${seed}, round ${round}`);
  }
});

async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-identity-'));
  t.after(() => rm(directory, { recursive: true }));
  return join(directory, 'data');
}
