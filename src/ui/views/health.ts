import type { ClusterMember } from '../model/answers.ts';
import type { Feed } from '../model/cluster-feed.ts';

export interface Health {
  readonly level: 'good' | 'warning' | 'bad' | 'unknown';
  readonly word: string;
  readonly sentence: string;
}

/** How the cluster is, in a word and in a sentence. */
export function healthOf({ snapshot, failure }: Feed): Health {
  if (failure !== undefined) {
    return { level: 'bad', word: 'No answer', sentence: 'This member does not answer.' };
  }
  if (snapshot === undefined) return { level: 'unknown', word: 'Asking', sentence: 'Asking the cluster.' };
  const { cluster, status } = snapshot;
  const voters = cluster.members.filter(({ role }) => role === 'voter');
  const reachable = voters.filter(({ state }) => state !== 'unreachable');
  if (cluster.leader === null) {
    const needed = Math.floor(voters.length / 2) + 1;
    const why =
      reachable.length < needed
        ? `${reachable.length} of ${voters.length} voters can be reached, ${needed} are needed`
        : 'an election is under way';
    return {
      level: 'bad',
      word: 'No leader',
      sentence: `There is no leader: ${why}. Writes and linearizable reads wait.`,
    };
  }
  const lost = cluster.members.filter(({ state }) => state === 'unreachable');
  if (lost.length > 0) return { level: 'warning', word: 'Degraded', sentence: lostSentence(lost, voters, reachable) };
  if (status.errors.length > 0) {
    return { level: 'warning', word: 'Attention', sentence: 'The cluster works, and something wants attention.' };
  }
  const { length } = cluster.members;
  const all =
    length === 1
      ? 'The only member is well.'
      : length === 2
        ? 'Both members are well.'
        : `All ${length} members are well.`;
  return { level: 'good', word: 'Healthy', sentence: all };
}

function lostSentence(
  lost: readonly ClusterMember[],
  voters: readonly ClusterMember[],
  reachable: readonly ClusterMember[],
): string {
  const names = lost.map(({ name, id }) => name || id).join(' and ');
  const spare = reachable.length - (Math.floor(voters.length / 2) + 1);
  const left =
    spare <= 0 ? 'The cluster works, and cannot lose another one.' : `The cluster works, and can lose ${spare} more.`;
  return `${names} cannot be reached. ${left}`;
}
