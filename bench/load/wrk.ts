import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { benchKeys, type KeySet } from '../keys.ts';
import type { Work } from '../scenarios.ts';
import { LatencyHistogram, withoutPhantoms } from './latency.ts';
import type { LoadResult } from './load-result.ts';
import { runTool } from './run-tool.ts';

const scriptPath = fileURLToPath(new URL('wrk.lua', import.meta.url));

export interface WrkLoad {
  readonly url: string;
  readonly work: Work;
  readonly connections: number;
  readonly seconds: number;
  readonly seed: number;
  /** Absent: those that `fill` writes. */
  readonly keySet?: KeySet | undefined;
}

/** Keeps `connections` HTTP/1.1 connections busy with one request each. */
export async function driveWithWrk(load: WrkLoad): Promise<LoadResult> {
  const { url, work, connections, seconds, seed, keySet = benchKeys } = load;
  if (load.keySet !== undefined && (work === 'txn' || work === 'prefix')) {
    throw new Error(`wrk's script makes a ${work} of the keys that \`fill\` writes, and of no others`);
  }
  const output = await runTool('wrk', [
    '--threads=1',
    `--connections=${connections}`,
    `--duration=${seconds}s`,
    '--timeout=10s',
    `--script=${scriptPath}`,
    url,
    '--',
    work,
    keySet.prefix,
    String(keySet.digits),
    String(keySet.keys),
    String(keySet.valueBytes),
    String(seed),
    // A million requests of a mebibyte each have no room in the generator.
    load.keySet === undefined ? 'ahead' : 'each',
  ]);
  return readSummary(output, connections);
}

const summarySchema = z.object({
  micros: z.number(),
  requests: z.number(),
  bytes: z.number(),
  statusErrors: z.number(),
  brokenConnections: z.number(),
  timeouts: z.number(),
  latency: z.array(z.tuple([z.number(), z.number()])),
});

/** @internal */
export function readSummary(output: string, connections: number): LoadResult {
  const line = output.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`wrk printed no summary: ${output.trim()}`);
  const summary = summarySchema.parse(JSON.parse(line));
  return {
    succeeded: summary.requests - summary.statusErrors,
    failed: summary.statusErrors + summary.brokenConnections + summary.timeouts,
    seconds: summary.micros / 1e6,
    latency: realLatency(summary, connections),
    bytesPerAnswer: summary.bytes / Math.max(1, summary.requests),
  };
}

/** The expected interval is computed as wrk's `main` does, in whole numbers. */
function realLatency(summary: z.infer<typeof summarySchema>, connections: number): LatencyHistogram {
  const requestsPerConnection = Math.floor(summary.requests / connections);
  if (requestsPerConnection === 0) return new LatencyHistogram(summary.latency);
  const interval = Math.floor(summary.micros / requestsPerConnection);
  const histogram = new LatencyHistogram(withoutPhantoms(summary.latency, interval));
  const missing = summary.requests - summary.timeouts - histogram.total;
  if (missing !== 0) throw new Error(`wrk's latencies are ${missing} off the ${summary.requests} requests it counted`);
  return histogram;
}
