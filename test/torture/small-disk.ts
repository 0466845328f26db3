import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file system of a fixed size, for one member's data. */
export class SmallDisk implements Disposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** `undefined` where this process may not mount one. */
  static mount(path: string, megabytes: number): SmallDisk | undefined {
    mkdirSync(path, { mode: 0o700 });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'balsa-torture', path], {
        stdio: 'ignore',
      });
      return new SmallDisk(path);
    } catch {
      return undefined;
    }
  }

  /** Takes all the space that is left. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.#path);
    try {
      writeFileSync(join(this.#path, 'filler'), Buffer.alloc(bavail * bsize));
    } catch {
      // Somebody else took the last of it.
    }
  }

  free(): void {
    rmSync(join(this.#path, 'filler'), { force: true });
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['-l', this.#path], { stdio: 'ignore' });
  }
}
