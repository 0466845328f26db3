import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../../src/base/random.ts';
import { formatCase, readCase } from './case-file.ts';
import { mutate, randomBytes } from './mutate.ts';
import { type Finding, runSession } from './session.ts';
import { smallerJson } from './smaller.ts';
import type { Input, OpenTarget } from './target.ts';

/** Inputs of random bytes, into something that has a mistake. */
function targetThat(run: OpenTarget['run']): OpenTarget {
  return { make: (random) => ({ kind: 'bytes', bytes: randomBytes(random, 40) }), run };
}

async function findingsOf(target: OpenTarget, inputs = 300): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  await runSession(target, undefined, {
    seed: 1,
    from: 0,
    isOver: (next) => next >= inputs || findings.length > 0,
    onFinding: (finding) => findings.push(finding),
  });
  return findings;
}

test('fuzz engine: an input that throws is found, and cut down to what makes it throw', async () => {
  const [finding] = await findingsOf(
    targetThat(({ bytes }) => {
      if (bytes.includes(0x42) && bytes.includes(0x43)) throw new RangeError('both');
    }),
  );
  assert.equal(finding?.what, 'error');
  assert.match(finding?.detail ?? '', /^RangeError: both\n/);
  assert.deepEqual([...(finding?.input.bytes ?? [])].sort(), [0x42, 0x43]);
});

test('fuzz engine: an input that takes long is found', async () => {
  const slow = targetThat(() => undefined).make(seededRandom(2 ** 32)).bytes;
  const [finding] = await findingsOf(
    targetThat(({ bytes }) => {
      // Nothing smaller is, or cutting it down would take long, too.
      if (!bytes.equals(slow)) return;
      const endMs = process.cpuUsage().user / 1000 + 130;
      while (process.cpuUsage().user / 1000 < endMs);
    }),
    1,
  );
  assert.equal(finding?.what, 'slow');
});

test('fuzz engine: an input that takes memory is found', async () => {
  // Not always the first one: a collection may hide it. And nothing smaller, which would have to be looked at as well.
  const [finding] = await findingsOf(
    targetThat(({ bytes }) => {
      if (bytes.length === 40 && !bytes.includes(0)) Buffer.alloc(32 * 1024 * 1024);
    }),
  );
  assert.equal(finding?.what, 'memory');
});

test('fuzz engine: a target without a mistake has no findings', async () => {
  assert.deepEqual(await findingsOf(targetThat(() => undefined)), []);
});

test('fuzz engine: JSON is made smaller as JSON', () => {
  const smaller = [...smallerJson({ kind: 'script', bytes: Buffer.from('{"a":[1,2],"b":"xy"}') })];
  const texts = smaller.map(({ bytes }) => bytes.toString());
  for (const text of ['{"b":"xy"}', '{"a":[1,2]}', '{"a":[2],"b":"xy"}', '{"a":[1,2],"b":"x"}']) {
    assert.ok(texts.includes(text), text);
  }
});

test('fuzz engine: an input comes back from its file as it was', () => {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-fuzz-'));
  const path = join(directory, 'case.txt');
  const inputs: Input[] = [
    { kind: 'a', bytes: Buffer.from('GET / HTTP/1.1\r\n\0\xff"\\', 'latin1') },
    { kind: 'b', bytes: Buffer.from([0, 1, 2, 255]) },
    { kind: 'c', bytes: Buffer.alloc(0) },
  ];
  for (const input of inputs) {
    writeFileSync(path, formatCase(input, ['a remark\nkind: of two lines']));
    assert.deepEqual(readCase(path), input);
  }
  rmSync(directory, { recursive: true });
});

test('fuzz engine: a mutation leaves what it was given as it was, and keeps to its limit', () => {
  const random = seededRandom(5);
  const [valid, other] = [randomBytes(random, 100), randomBytes(random, 100)];
  const [validBefore, otherBefore] = [valid.toString('hex'), other.toString('hex')];
  for (let i = 0; i < 5000; i++) assert.ok(mutate(random, valid, other, 500).length <= 500);
  assert.deepEqual([valid.toString('hex'), other.toString('hex')], [validBefore, otherBefore]);
});
