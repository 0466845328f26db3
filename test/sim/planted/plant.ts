import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlantedBug } from './bugs.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A copy of the code with one bug in it, somewhere else on the disk; disposing of it removes it. */
export interface BuggyCopy extends Disposable {
  readonly directory: string;
}

export function plant(bug: PlantedBug): BuggyCopy {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-planted-'));
  for (const part of ['src', 'test/sim', 'test/checking', 'test/model', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, part), join(directory, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  writeFileSync(join(directory, 'src', bug.file), withBug(bug));
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}

/** The file with the bug. Throws if the code has changed, so that the bug is not where it was. */
export function withBug({ name, file, find, replace }: PlantedBug): string {
  const text = readFileSync(join(root, 'src', file), 'utf8');
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`the planted bug "${name}": its text stands ${places} times in src/${file}`);
  return text.replace(find, () => replace);
}
