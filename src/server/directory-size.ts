import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CancelTimer, Clock } from '../base/clock.ts';

/** A figure for people: looked at now and then, not at every question. */
const intervalMs = 5000;

/** How many bytes the files of a directory hold, a few seconds old. */
export class DirectorySize {
  readonly #directories: readonly string[];
  readonly #clock: Clock;
  #bytes = 0;
  #cancelTimer: CancelTimer | undefined;
  #isClosed = false;

  private constructor(directories: readonly string[], clock: Clock) {
    this.#directories = directories;
    this.#clock = clock;
  }

  static async watch(directories: readonly string[], clock: Clock): Promise<DirectorySize> {
    const size = new DirectorySize(directories, clock);
    await size.#measure();
    return size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
  }

  async #measure(): Promise<void> {
    const sizes = await Promise.all(this.#directories.map(sizeOf));
    this.#bytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
    if (!this.#isClosed) this.#cancelTimer = this.#clock.setTimer(intervalMs, () => void this.#measure());
  }
}

async function sizeOf(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  // LevelDB deletes files at any time; one that is gone holds nothing.
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
