/**
 * Flips bits in the one table of a LevelDB and reads everything, for as many rounds as are left: a program of its own,
 * because LevelDB may end the process. Prints a line of JSON for each round.
 *
 *     node --import tsx read-damaged.ts DIRECTORY SEED FIRST_ROUND ROUNDS
 */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { seededRandom } from '../../base/random.ts';
import type { Database } from '../database.ts';
import { bytes, describeKv, openTestStore, readAll } from './test-store.ts';

export interface DamagedRound {
  readonly round: number;
  readonly right: number;
  readonly refused: number;
  readonly wrong: readonly string[];
}

const [directory = '', seed = '', firstRound = '', rounds = ''] = process.argv.slice(2);
const database: Database = new Level(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
await database.open();
const whole = await readWhole();
await database.close();

const tables = (await readdir(directory)).filter((file) => file.endsWith('.ldb'));
assert.equal(tables.length, 1, 'LevelDB has written no table, or several');
const path = join(directory, tables[0] as string);
const good = await readFile(path);
for (let round = Number(firstRound); round < Number(rounds); round++) {
  await writeFile(path, damaged(good, seededRandom(Number(seed) + round)));
  await database.open();
  const found = await readEverything(round);
  await database.close();
  await writeFile(path, good);
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

async function readWhole(): Promise<ReadonlySet<string>> {
  const { store } = await openTestStore(database);
  const view = store.readView();
  const all = new Set(await readAll(view));
  await view.close();
  await store.close();
  return all;
}

/** The index and the footer at the end decide whether LevelDB finds anything; the blocks before them hold the values. */
function damaged(table: Buffer, random: ReturnType<typeof seededRandom>): Buffer {
  const bad = Buffer.from(table);
  for (let flip = 0; flip < 8; flip++) {
    const at = random.below(Math.floor(bad.length * 0.95));
    bad[at] = (bad[at] ?? 0) ^ (1 << random.below(8));
  }
  return bad;
}

async function readEverything(round: number): Promise<DamagedRound> {
  let [right, refused] = [0, 0];
  const wrong: string[] = [];
  let opened: Awaited<ReturnType<typeof openTestStore>>;
  try {
    opened = await openTestStore(database);
  } catch {
    return { round, right, refused: 1, wrong };
  }
  for (let at = 0; at < whole.size; at++) {
    try {
      const kv = opened.store.get(bytes(`key-${at}`));
      // A flip in the key's own bytes hides the record; see the README's wrinkles.
      if (kv === undefined) continue;
      if (whole.has(describeKv(kv))) right++;
      else wrong.push(describeKv(kv));
    } catch {
      refused++;
      // It has failed, which closing it says once more.
      await opened.store.close().catch(() => {});
      opened = await openTestStore(database);
    }
  }
  await opened.store.close();
  return { round, right, refused, wrong };
}
