import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Shape } from '../scenarios.ts';
import { LatencyHistogram } from './latency.ts';
import type { LoadResult } from './load-result.ts';
import { RotatingBody } from './rotating-body.ts';
import { runTool } from './run-tool.ts';

export interface H2loadLoad {
  readonly url: string;
  /** Such as `/etcdserverpb.KV/Put`. */
  readonly method: string;
  readonly bodyOf: (index: number) => Buffer;
  readonly firstIndex: number;
  readonly shape: Shape;
  readonly seconds: number;
  /** In memory; the body and the log of requests are written there. */
  readonly directory: string;
}

/**
 * Keeps `connections` × `streams` gRPC requests outstanding. h2load knows HTTP only: it counts an answer whose trailers
 * carry a gRPC error as a success, so the caller has to check with the server what it answered.
 */
export async function driveWithH2load(load: H2loadLoad): Promise<LoadResult> {
  const logPath = join(load.directory, 'requests.log');
  rmSync(logPath, { force: true });
  using body = new RotatingBody(join(load.directory, 'body'), load.bodyOf, load.firstIndex);
  const output = await runTool('h2load', [
    '--threads=1',
    `--clients=${load.shape.connections}`,
    `--max-concurrent-streams=${load.shape.streams}`,
    `--duration=${load.seconds}`,
    '--header=content-type: application/grpc',
    '--header=te: trailers',
    `--data=${body.path}`,
    `--log-file=${logPath}`,
    load.url + load.method,
  ]);
  const result = readReport(output, readFileSync(logPath, 'latin1'), load.seconds);
  rmSync(logPath, { force: true });
  return result;
}

/**
 * h2load prints no percentiles; they come from its log, a line for each request: start, status and microseconds,
 * separated by tabs. `seconds` is the time it counts requests for; what is still outstanding then is not counted.
 *
 * @internal
 */
export function readReport(output: string, log: string, seconds: number): LoadResult {
  const requests = /^requests: .* (\d+) done, (\d+) succeeded, (\d+) failed/m.exec(output);
  const traffic = /^traffic: \S+ \((\d+)\) total/m.exec(output);
  if (requests === null || traffic === null) throw new Error(`h2load printed no summary: ${output.trim()}`);
  const [, done, succeeded, failed] = requests.map(Number);
  return {
    succeeded: succeeded ?? 0,
    failed: failed ?? 0,
    seconds,
    latency: new LatencyHistogram(countMicros(log)),
    bytesPerAnswer: Number(traffic[1]) / Math.max(1, done ?? 0),
  };
}

function countMicros(log: string): Map<number, number> {
  const counts = new Map<number, number>();
  for (const line of log.split('\n')) {
    const [, status, micros] = line.split('\t');
    if (status === undefined || status === '-1') continue;
    counts.set(Number(micros), (counts.get(Number(micros)) ?? 0) + 1);
  }
  return counts;
}
