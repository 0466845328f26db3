import type { Clock } from '../base/clock.ts';
import type { ReplicaClusterService } from '../replica/index.ts';
import type { Log } from './logger.ts';

const intervalMs = 1000;

/** Says once a second how far a member is that has joined, until it votes. */
export function reportJoining(memberId: string, cluster: ReplicaClusterService, clock: Clock, log: Log): () => void {
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
    const { appliedIndex, leader } = cluster.status();
    const { members } = await cluster.cluster({ timeoutMs: intervalMs });
    const own = members.find(({ id }) => id === memberId);
    if (isOver) return false;
    if (own?.role === 'voter') return true;
    if (leader === undefined || own?.lagEntries === undefined) say('waiting for the leader', { memberId });
    else {
      const ofEntries = appliedIndex + own.lagEntries;
      const percent = ofEntries === 0 ? 0 : Math.floor((100 * appliedIndex) / ofEntries);
      say('catching up', { entries: appliedIndex, ofEntries, percent });
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
