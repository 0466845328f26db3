import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  /** The file system under the clusters' data. */
  readonly fileSystem: string;
}

export function describeMachine(dataDirectory: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    fileSystem: output('df', ['--output=fstype', dataDirectory])?.split('\n')[1]?.trim() ?? 'unknown',
  };
}

/** Memory that pretends to be a disk syncs in no time, and says nothing about a disk. */
export function isMemory({ fileSystem }: Machine): boolean {
  return fileSystem === 'tmpfs' || fileSystem === 'ramfs';
}

/** `0.1.0 (1a2b3c4)`, with a `+` where there are changes that were not committed. */
export function balsaVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  const version = hasVersion ? String(manifest.version) : 'unknown';
  const root = fileURLToPath(new URL('..', import.meta.url));
  const commit = output('git', ['-C', root, 'rev-parse', '--short', 'HEAD']);
  if (commit === undefined) return version;
  const isChanged = output('git', ['-C', root, 'status', '--porcelain', '--', 'src', 'package-lock.json']) !== '';
  return `${version} (${commit}${isChanged ? '+' : ''})`;
}

function output(command: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
