import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { killOnExit } from '../clean-up.ts';
import { memoryOf } from '../process-usage.ts';
import { programPath } from './balsa.ts';

export interface CommandRun {
  readonly seconds: number;
  /** The most that was resident, and that without mapped files, as far as looking every 20 ms shows it. */
  readonly peakMiB: number;
  readonly ownPeakMiB: number;
  /** What it printed with `-o json`. */
  readonly output: unknown;
}

const intervalMs = 20;

/** Runs `balsa …` as anybody would, and measures the process. Rejects with what it printed if it fails. */
export async function runBalsa(args: readonly string[]): Promise<CommandRun> {
  const start = performance.now();
  const child = spawn(process.execPath, [programPath, ...args, '-o', 'json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  killOnExit(child);
  let [printed, complaint] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    printed += text;
  });
  child.stderr.on('data', (text: Buffer) => {
    complaint += text;
  });
  const closed = once(child, 'close');
  let [peakMiB, ownPeakMiB] = [0, 0];
  while (child.exitCode === null && child.signalCode === null) {
    const { peakRssBytes, anonymousBytes } = memoryOf(child.pid ?? Number.NaN);
    // NaN of one that has just ended.
    if (peakRssBytes > 0) peakMiB = Math.max(peakMiB, peakRssBytes / 2 ** 20);
    if (anonymousBytes > 0) ownPeakMiB = Math.max(ownPeakMiB, anonymousBytes / 2 ** 20);
    await delay(intervalMs);
  }
  await closed;
  const seconds = (performance.now() - start) / 1000;
  if (child.exitCode !== 0) {
    throw new Error(`balsa ${args.join(' ')} ended with ${child.exitCode ?? child.signalCode}: ${complaint}`);
  }
  return { seconds, peakMiB, ownPeakMiB, output: JSON.parse(printed) };
}
