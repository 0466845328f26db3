import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../clusters/cluster.ts';
import type { ServerProcess } from '../clusters/server-process.ts';
import { isReady } from './restart.ts';

export const catchUpTimeoutMs = 600_000;
const pollMs = 100;

/**
 * Waits until the follower is ready and has applied all but `writesMissing` of what the leader has. Resolves with whether it
 * was seen to receive a snapshot; undefined where that cannot be seen.
 */
export async function caughtUp(
  cluster: Cluster,
  leader: ServerProcess,
  follower: ServerProcess,
  writesMissing: number,
): Promise<boolean | undefined> {
  let wasFed = cluster.isReceivingSnapshot(follower);
  for (const deadline = performance.now() + catchUpTimeoutMs; performance.now() < deadline; await delay(pollMs)) {
    follower.mustRun();
    wasFed ||= cluster.isReceivingSnapshot(follower);
    const there = await cluster.revisionOf(leader);
    // It does not answer yet.
    const here = await cluster.revisionOf(follower).catch(() => 0);
    if (there - here <= writesMissing && (await isReady(follower.clientUrl + cluster.readyPath))) return wasFed;
  }
  throw new Error(`${follower.name} has not caught up within ${catchUpTimeoutMs} ms`);
}
