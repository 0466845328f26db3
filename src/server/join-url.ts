import { setTimeout as pause } from 'node:timers/promises';
import { BalsaError, type ClusterStatus, connect } from '../client/index.ts';
import { type Config, ConfigError } from './config.ts';
import { type Admission, refuseLostData } from './join-existing.ts';
import type { Log } from './logger.ts';

/** For another change of members to end, a leader to be elected, or a member that is down to come back. */
const patienceMs = 60_000;
const retryMs = 1000;

/**
 * `--join`: asks the cluster behind these client URLs to let this member in, or finds the place that it was given before,
 * when it was interrupted. It begins as a learner and is to be made a voter by itself.
 */
export async function askForAdmission(config: Config, log: Log): Promise<Admission> {
  refuseUnreachable(config);
  const { members } = connect({ endpoints: config.join });
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const cluster = await askCluster(config);
    const place = placeIn(cluster, config);
    if (place !== undefined) return place;
    try {
      const added = await members.add(config.initialAdvertisePeerUrls, { name: config.name, promote: 'auto' });
      log.info('added to the cluster', { clusterId: added.clusterId, memberId: added.member.id });
      return { clusterId: added.clusterId, memberId: added.member.id, members: added.members };
    } catch (reason) {
      // Where the outcome is unknown the next round finds out.
      if (!(reason instanceof BalsaError) || !isWorthWaiting(reason) || performance.now() > deadlineMs) {
        throw refusal(config, reason);
      }
      log.warn('waiting to be added to the cluster', { reason: reason.detail });
      await pause(retryMs);
    }
  }
}

/** The members of the cluster that this member was added to before. */
export async function membersBehind(config: Config, known: { clusterId: string; memberId: string }) {
  const cluster = await askCluster(config);
  if (cluster.clusterId !== known.clusterId) {
    throw new ConfigError(
      `join: ${config.join.join(',')} is cluster ${cluster.clusterId}, but the data directory ${config.dataDir} belongs ` +
        `to cluster ${known.clusterId}; give each member a data directory of its own`,
    );
  }
  if (cluster.members.some(({ id }) => id === known.memberId)) return cluster.members;
  throw new ConfigError(
    `join: member ${known.memberId} is not in cluster ${cluster.clusterId} any more; remove the data directory ` +
      `${config.dataDir} to join under a new id`,
  );
}

async function askCluster(config: Config): Promise<ClusterStatus> {
  try {
    return await connect({ endpoints: config.join }).cluster();
  } catch (reason) {
    throw refusal(config, reason);
  }
}

/** The place of a member that was added and has never run. */
function placeIn(cluster: ClusterStatus, config: Config): Admission | undefined {
  const urls = config.initialAdvertisePeerUrls;
  const own = cluster.members.find(({ peerUrls }) => peerUrls.some((url) => urls.includes(url)));
  if (own === undefined) return undefined;
  if (own.name !== config.name && own.version !== '') {
    throw new ConfigError(
      `join: ${urls.join(',')} is the peer URL of member ${own.name} of cluster ${cluster.clusterId} already; give this ` +
        'member a --listen-peer-urls of its own',
    );
  }
  refuseLostData(own, cluster);
  return { clusterId: cluster.clusterId, memberId: own.id, members: cluster.members };
}

function isWorthWaiting({ code, kind }: BalsaError): boolean {
  return code === 'outcome_unknown' || kind.retryable;
}

function refusal(config: Config, reason: unknown): unknown {
  if (!(reason instanceof BalsaError)) return reason;
  return new ConfigError(`join: ${config.join.join(',')}: ${reason.detail} (${reason.code})`);
}

/** The others would dial themselves. */
function refuseUnreachable({ join, initialAdvertisePeerUrls }: Config): void {
  const local = initialAdvertisePeerUrls.find(isLoopback);
  const remote = join.find((url) => !isLoopback(url));
  if (local === undefined || remote === undefined) return;
  throw new ConfigError(
    `join: the members behind ${remote} cannot reach this one at ${local}; set --listen-peer-urls and ` +
      '--initial-advertise-peer-urls to an address of this machine that they can reach',
  );
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}
