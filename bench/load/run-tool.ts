import { execFile, execFileSync } from 'node:child_process';
import { killOnExit } from '../clean-up.ts';

/** Runs a program to its end; its failure carries what it said. */
export async function runTool(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { maxBuffer: 256 * 1024 * 1024 }, (failure, stdout, stderr) => {
      if (failure === null) resolve(stdout);
      else reject(new Error(`${command} failed: ${stderr.trim() || failure.message}`, { cause: failure }));
    });
    killOnExit(child);
  });
}

/** The first line that `command --version` prints, or undefined if it is not installed. */
export function versionOf(command: string): string | undefined {
  try {
    return firstLine(execFileSync(command, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }));
  } catch (reason) {
    // wrk prints its version and leaves with 1.
    if (reason instanceof Error && 'stdout' in reason && typeof reason.stdout === 'string' && reason.stdout !== '') {
      return firstLine(reason.stdout);
    }
    return undefined;
  }
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
