import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Level } from 'level';
import { seededRandom } from '../base/random.ts';
import { DamagedStorage, StorageError } from './errors.ts';
import { MemberDirectory } from './testing/member-directory.ts';
import { commands, picture } from './testing/test-entries.ts';

/**
 * The five ways in which LevelDB under classic-level loses or alters synced writes without an error. None of them may
 * end in a log that opens and shows anything but what was acknowledged.
 */

test('loss 1, a flipped bit in the journal: LevelDB drops what lies around it; the log is refused', async (t) => {
  const directory = await filled(t, 200);
  await flipBit(await directory.file('.log'), 70_000 * 8);
  const message = /damaged at byte \d+: a record does not match its checksum.*acknowledged may be gone/;
  await refused(directory, message);
  // The same again: nothing was repaired, and a copy of the journal is kept.
  await refused(directory, message);
  assert((await readdir(directory.log)).some((name) => name.endsWith('.log.damaged')));
  const left = await keysThatLevelDbShows(directory);
  assert(left < 200, `LevelDB shows ${left} of 202 records`);
});

test('loss 2, a shortened journal: LevelDB notices nothing; the receipt does', async (t) => {
  const directory = await filled(t, 200);
  const journal = await directory.file('.log');
  await truncate(journal, (await readFile(journal)).length - 1500);
  await refused(
    directory,
    /ends at batch 199 and index 198, but its receipt is of batch 201 and index 200: .*199 to 200/,
  );
});

test('loss 2: a journal cut at every record boundary, and three bytes around it, is never taken for the whole', async (t) => {
  const whole = await filled(t, 8, 700);
  const journal = basename(await whole.file('.log'));
  const bytes = await readFile(join(whole.log, journal));
  const victim = await whole.copy(t);
  const boundaries = recordBoundaries(bytes);
  assert.equal(boundaries.length, 10);
  for (const boundary of boundaries) {
    for (let cut = boundary - 3; cut <= boundary + 3; cut++) {
      if (cut < 0 || cut >= bytes.length) continue;
      await victim.restore(whole);
      await truncate(join(victim.log, journal), cut);
      await refused(victim, /acknowledged may be gone/, `cut at ${cut}`);
    }
  }
});

test('loss 3, a read error on the journal at open: LevelDB goes on without it; the log is refused', async (t) => {
  const directory = await filled(t, 20);
  const journal = await directory.file('.log');
  await rename(journal, `${journal}.aside`);
  await mkdir(journal);
  await refused(directory, /could not be read \(EISDIR\)/);
  const other = await filled(t, 20);
  const loop = await other.file('.log');
  await rename(loop, `${loop}.aside`);
  await symlink(loop, loop);
  await refused(other, /could not be read \(ELOOP\)/);
});

test('loss 3: a journal that is gone is missed', async (t) => {
  const directory = await filled(t, 20);
  const journal = await directory.file('.log');
  await rename(journal, `${journal}.aside`);
  await refused(directory, /The journal \d+ is missing/);
});

test('loss 4, one failed append: LevelDB acknowledges writes that it cannot recover; the log acknowledges no more', async (t) => {
  const directory = await MemberDirectory.create(t);
  const output = await run('sh', [
    '-c',
    // Ignored, the signal of a file that grows above the limit becomes the error EFBIG.
    `trap '' XFSZ; ulimit -S -f 256; exec "$0" --import tsx "$1" "$2"`,
    process.execPath,
    fileURLToPath(new URL('./testing/failing-writer.ts', import.meta.url)),
    directory.path,
  ]);
  const report: unknown = JSON.parse(output);
  assert(typeof report === 'object' && report !== null && 'acknowledged' in report && 'causes' in report);
  const { acknowledged } = report;
  assert(typeof acknowledged === 'number' && acknowledged > 20, output);
  assert.deepEqual(report.causes, ['StorageWriteFailed'], output);
  const { log, close } = await directory.open();
  assert(log.lastIndex() >= acknowledged, `${log.lastIndex()} of ${acknowledged}`);
  assert.deepEqual(picture(log).entries, commands(1, log.lastIndex(), { bytes: 1000 }));
  await close();
});

test('loss 4: a writer that went on after a failed append is found out by its journal', async (t) => {
  const directory = await filled(t, 20);
  const journal = await directory.file('.log');
  const bytes = await readFile(journal);
  const boundary = recordBoundaries(bytes)[10] ?? 0;
  // What a failed append leaves: half a record, and later ones behind it.
  await writeFile(journal, Buffer.concat([bytes.subarray(0, boundary - 400), bytes.subarray(boundary)]));
  await refused(directory, /damaged at byte/);
});

test('loss 5, a flipped bit in a table: LevelDB returns wrong bytes; they are never served', async (t) => {
  const directory = await filled(t, 60, 300);
  const whole = await throughTables(directory);
  const expected = await contentOf(directory);
  const table = basename(await whole.file('.ldb'));
  const bits = (await readFile(join(whole.log, table))).length * 8;
  const victim = await whole.copy(t);
  let served = 0;
  for (let bit = 3; bit < bits; bit += Math.floor(bits / 150)) {
    await victim.restore(whole);
    await flipBit(join(victim.log, table), bit);
    served += await harmlessOrDetected(victim, expected, `bit ${bit}`);
  }
  // LevelDB keeps the older versions of the tail record in the table too: about a quarter of it is read by nobody.
  assert(served < 60, `${served} of 150 flips did no harm`);
});

test('a table that is shorter, empty or gone is found before LevelDB opens', async (t) => {
  const whole = await throughTables(await filled(t, 60, 300));
  const table = basename(await whole.file('.ldb'));
  const victim = await whole.copy(t);
  for (const size of [0, 100]) {
    await victim.restore(whole);
    await truncate(join(victim.log, table), size);
    await refused(victim, new RegExp(`The table has ${size} bytes; it was written with \\d+`));
  }
  await victim.restore(whole);
  await rename(join(victim.log, table), join(victim.log, `${table}.aside`));
  await refused(victim, /The table \d+ is missing/);
});

test('flipped bits all over a journal are harmless or detected, never another answer', async (t) => {
  const seed = 23;
  const random = seededRandom(seed);
  const whole = await filled(t, 120, 600);
  const expected = await contentOf(await whole.copy(t));
  const journal = basename(await whole.file('.log'));
  const bytes = await readFile(join(whole.log, journal));
  const victim = await whole.copy(t);
  const boundaries = recordBoundaries(bytes);
  const headers = boundaries.slice(0, -1).flatMap((at) => [at, at + 4, at + 5, at + 6]);
  const anywhere = Array.from({ length: 200 }, () => random.below(bytes.length));
  for (const at of [...headers.filter((_, i) => i % 3 === 0), ...anywhere]) {
    const bit = at * 8 + random.below(8);
    await writeFile(join(victim.log, journal), flipped(bytes, bit));
    await harmlessOrDetected(victim, expected, `seed ${seed}, bit ${bit}`);
    await victim.restore(whole);
  }
});

test('a writer that is killed again and again loses nothing that it acknowledged, and always opens', async (t) => {
  const directory = await MemberDirectory.create(t);
  const script = fileURLToPath(new URL('./testing/acknowledging-writer.ts', import.meta.url));
  for (const batches of [1, 40, 90, 170]) {
    const child = spawn(process.execPath, ['--import', 'tsx', script, directory.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.split('\n').length > batches) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const acknowledged = Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1));
    const { log, close } = await directory.open();
    assert(acknowledged > 0 && log.lastIndex() >= acknowledged, `${log.lastIndex()} of ${acknowledged}`);
    const { entries } = picture(log);
    assert.equal(entries.length, log.lastIndex());
    for (const entry of entries)
      assert.deepEqual(entry, commands(entry.index, entry.index, { bytes: entry.data.length })[0]);
    await close();
  }
});

test('a directory that was rolled back is older than its receipt', async (t) => {
  const directory = await filled(t, 20);
  const old = await directory.copy(t);
  const { log, close } = await directory.open();
  await log.persist({ hardState: { term: 2, vote: 'a1', commit: 0 }, entries: [] });
  await close();
  await rename(directory.log, `${directory.log}.aside`);
  await rename(old.log, directory.log);
  await refused(directory, /a vote, a term or replaced entries are missing/);
});

test('an emptied directory beside a receipt is no new log', async (t) => {
  const directory = await filled(t, 20);
  await rename(directory.log, `${directory.log}.aside`);
  await refused(directory, /the receipt says that the log reached the index 20/);
});

/** A closed log of `count` entries, each its own batch, all in the journal. */
async function filled(t: TestContext, count: number, bytes = 1000): Promise<MemberDirectory> {
  const directory = await MemberDirectory.create(t);
  const { log, close } = await directory.open();
  for (let index = 1; index <= count; index++) {
    await log.persist({ hardState: undefined, entries: commands(index, index, { bytes }) });
  }
  await close();
  return directory;
}

/** Opening moves the journal into a table. */
async function throughTables(directory: MemberDirectory): Promise<MemberDirectory> {
  await (await directory.open()).close();
  return directory;
}

async function contentOf(directory: MemberDirectory): Promise<ReturnType<typeof picture>> {
  const { log, close } = await directory.open();
  try {
    return picture(log);
  } finally {
    await close();
  }
}

async function refused(directory: MemberDirectory, message: RegExp, what?: string): Promise<void> {
  await assert.rejects(directory.open(), (reason: unknown) => {
    assert(reason instanceof DamagedStorage, `${what}: ${reason}`);
    assert.match(reason.message, message, what);
    return true;
  });
}

/** 1 if the directory opened and holds exactly what it should, 0 if it was refused. */
async function harmlessOrDetected(
  directory: MemberDirectory,
  expected: ReturnType<typeof picture>,
  what: string,
): Promise<0 | 1> {
  try {
    assert.deepEqual(await contentOf(directory), expected, what);
    return 1;
  } catch (reason) {
    assert(reason instanceof StorageError, `${what}: ${reason}`);
    return 0;
  }
}

async function keysThatLevelDbShows(directory: MemberDirectory): Promise<number> {
  const level = new Level(directory.log);
  const keys = await level.keys().all();
  await level.close();
  return keys.length;
}

async function flipBit(path: string, bit: number): Promise<void> {
  await writeFile(path, flipped(await readFile(path), bit));
}

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** Where the records of an intact journal begin, and the end of the last. */
function recordBoundaries(bytes: Buffer): number[] {
  const boundaries = [0];
  for (let at = 0; at + 7 <= bytes.length; ) {
    at += 7 + bytes.readUInt16LE(at + 4);
    const left = 32_768 - (at % 32_768);
    if (left < 7) at += left;
    boundaries.push(at);
  }
  return boundaries;
}

function run(command: string, options: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, options, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${command} ended with ${code}: ${output}`)),
    );
  });
}
