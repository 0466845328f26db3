import { getHeapStatistics } from 'node:v8';
import { collectGarbage } from './collect-garbage.ts';
import type { Input, OpenTarget } from './target.ts';

export type Verdict = { readonly what: 'error' | 'slow' | 'memory'; readonly detail: string } | undefined;

/** What one input may take of the processor. */
export const cpuMsMax = 100;

/** One input may allocate as much as this and `allocationFactor` times its length, garbage included. */
const usualAllocationBytesMin = 4 * 1024 * 1024;
const allocationFactor = 100;

/** Below this a second look is not worth it. */
const suspiciousMs = 60;

/** Of an input that looks slow or greedy: the machine may just have been busy, or the collector. */
const repetitions = 3;

/**
 * Runs an input and says what is wrong with it, if anything: an error that is not documented, more than 100 ms of
 * processor time, memory far beyond the input's size.
 */
export async function judge(target: OpenTarget, input: Input): Promise<Verdict> {
  const isElsewhere = target.cpuMs !== undefined;
  const startBytes = isElsewhere ? 0 : allocatedBytes();
  const startMs = performance.now();
  const error = await errorOf(target, input);
  if (error !== undefined) return error;
  if (performance.now() - startMs > suspiciousMs) {
    // The least: whatever else the processor was busy with only adds to it.
    const cpuMs = Math.min(...(await repeated(() => cpuMsOf(target, input))));
    if (cpuMs > cpuMsMax) return { what: 'slow', detail: `takes ${Math.round(cpuMs)} ms of processor time` };
  }
  if (isElsewhere) return undefined;
  const { allocationBytesMin = usualAllocationBytesMin } = target;
  const allowed = allocationBytesMin + allocationFactor * input.bytes.length;
  if (allocatedBytes() - startBytes <= allowed) return undefined;
  // The most: a collection in the midst of the run takes away from it. What is made once for all was made before.
  const bytes = Math.max(...(await repeated(() => allocationOf(target, input))));
  if (bytes <= allowed) return undefined;
  return { what: 'memory', detail: `allocates ${bytes} bytes for an input of ${input.bytes.length}` };
}

async function errorOf(target: OpenTarget, input: Input): Promise<Verdict> {
  try {
    const running = target.run(input);
    if (running !== undefined) await running;
    return undefined;
  } catch (reason) {
    return { what: 'error', detail: describe(reason) };
  }
}

async function repeated(measure: () => Promise<number>): Promise<readonly number[]> {
  const measured: number[] = [];
  for (let i = 0; i < repetitions; i++) measured.push(await measure());
  return measured;
}

async function cpuMsOf(target: OpenTarget, input: Input): Promise<number> {
  const cpuMs = () => target.cpuMs?.() ?? ownCpuMs();
  const startMs = cpuMs();
  await errorOf(target, input);
  return cpuMs() - startMs;
}

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function allocationOf(target: OpenTarget, input: Input): Promise<number> {
  collectGarbage();
  const startBytes = allocatedBytes();
  await errorOf(target, input);
  return allocatedBytes() - startBytes;
}

/** Grows with every allocation until garbage is collected. */
function allocatedBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/** The error with its stack and those of its causes. */
export function describe(reason: unknown): string {
  if (!(reason instanceof Error)) return `threw ${String(reason)}`;
  const cause = reason.cause === undefined ? '' : `\ncaused by ${describe(reason.cause)}`;
  return `${reason.stack ?? reason.message}${cause}`;
}

/** The same for two runs that fail in the same way: the error without numbers, and where it was thrown. */
export function signatureOf(verdict: Exclude<Verdict, undefined>): string {
  if (verdict.what !== 'error') return verdict.what;
  const [first = '', ...rest] = verdict.detail.split('\n');
  const where = rest.find((line) => /^\s+at /.test(line) && !line.includes('node:')) ?? '';
  return `${first.replace(/0x[0-9a-f]+|\d+/g, '#').slice(0, 120)} ${where.trim().replace(/:\d+\)?$/, '')}`;
}
