import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

const processes = new Set<ChildProcess>();
const directories = new Set<string>();

/**
 * However the benchmark ends (done, failed, Ctrl-C), everything it started is killed and everything it wrote is removed.
 * SIGKILL, because a stopped process does not see any other signal.
 */
export function cleanUpOnExit(): void {
  process.on('exit', () => {
    for (const child of processes) child.kill('SIGKILL');
    for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

export function killOnExit(child: ChildProcess): void {
  processes.add(child);
  child.once('exit', () => processes.delete(child));
}

/** A directory that goes away with this process. */
export function temporaryDirectory(parent = tmpdir()): string {
  const directory = mkdtempSync(join(parent, 'balsa-bench-'));
  directories.add(directory);
  return directory;
}

/** Memory where there is such a place: what a load generator writes must not compete with the clusters for the disk. */
export function memoryDirectory(): string {
  return temporaryDirectory(existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
}
