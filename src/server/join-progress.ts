import type { Clock } from '../base/clock.ts';
import type { Replica, ReplicaClusterService } from '../replica/index.ts';
import type { Log } from './logger.ts';

const intervalMs = 1000;

/** Says once a second how far a member is that has joined, until it votes. */
export function reportJoining(replica: Replica, cluster: ReplicaClusterService, clock: Clock, log: Log): () => void {
  const { memberId } = replica.options;
  let isOver = false;
  let last = '';
  let cancel = clock.setTimer(intervalMs, report);
  return () => {
    isOver = true;
    cancel();
  };

  function report(): void {
    void look().then((votes) => {
      if (isOver) return;
      if (votes) log.info('joined: this member votes', { memberId });
      else cancel = clock.setTimer(intervalMs, report);
    });
  }

  async function look(): Promise<boolean> {
    const { receiving } = replica;
    if (receiving !== undefined) {
      const { bytes, bytesExpected: ofBytes } = receiving;
      say('catching up', { bytes, ofBytes, percent: percentOf(bytes, ofBytes) });
      return false;
    }
    const { appliedIndex, leader } = cluster.status();
    const { members } = await cluster.cluster({ timeoutMs: intervalMs });
    const own = members.find(({ id }) => id === memberId);
    if (isOver) return false;
    if (own?.role === 'voter') return true;
    if (leader === undefined || own?.lagEntries === undefined) say('waiting for the leader', { memberId });
    else {
      const ofEntries = appliedIndex + own.lagEntries;
      say('catching up', { entries: appliedIndex, ofEntries, percent: percentOf(appliedIndex, ofEntries) });
    }
    return false;
  }

  /** Not again what has not changed. */
  function say(event: string, facts: Readonly<Record<string, unknown>>): void {
    const line = JSON.stringify([event, facts]);
    if (line !== last) log.info(event, facts);
    last = line;
  }
}

/** What is expected is about so much. */
function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(100, Math.floor((100 * part) / whole));
}
