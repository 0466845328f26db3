import { type Identity, readIdentity, StorageRefused } from '../storage/index.ts';
import { type ClusterIdentity, foundingIdentity } from './cluster-identity.ts';
import { type Config, ConfigError } from './config.ts';
import { type Admission, findAdmission, findMembers, refuseIfItRanBefore } from './join-existing.ts';
import { askForAdmission, membersBehind } from './join-url.ts';
import type { Log } from './logger.ts';

/**
 * Who this member is: as its data says; without data, as the configuration of a new cluster says, or as the running
 * cluster says that it joins.
 *
 * @throws ConfigError, StorageRefused, DamagedStorage
 */
export async function establishIdentity(config: Config, log: Log): Promise<ClusterIdentity> {
  const found = await readIdentity(config.dataDir);
  if (found !== undefined) return returning(config, found);
  if (config.join.length > 0) return joining(await askForAdmission(config, log));
  if (config.initialClusterState === 'existing') return joining(await findAdmission(config));
  const founding = foundingIdentity(config);
  if (config.initialCluster.length > 1) await refuseIfItRanBefore(config, founding);
  return founding;
}

function joining({ clusterId, memberId, members }: Admission): ClusterIdentity {
  return { clusterId, memberId, members: [], configuration: noConfiguration, whomToAsk: async () => members };
}

/** Nothing is read from the flags that the data knows; they have to be those of the same member, though. */
function returning(config: Config, found: Identity): ClusterIdentity {
  const founding = foundingIdentity(config);
  const { clusterId, memberId, token } = found;
  const isOwn = memberId === founding.memberId;
  if (isOwn && clusterId === founding.clusterId) return founding;
  if (token !== undefined && token !== config.initialClusterToken) {
    throw refused(config, found, `whose initial-cluster-token is "${token}", not "${config.initialClusterToken}"`);
  }
  if (!isOwn && found.name !== config.name) throw refused(config, found, `and not to one named ${config.name}`);
  return {
    clusterId,
    memberId,
    members: [],
    configuration: noConfiguration,
    whomToAsk: () => whomToAsk(config, found),
  };
}

/** For a member that was let in, and interrupted before it had anything of its cluster. */
async function whomToAsk(config: Config, found: Identity): Promise<Admission['members']> {
  if (config.join.length > 0) return membersBehind(config, found);
  if (config.initialClusterState === 'existing') return findMembers(config, found.clusterId);
  throw new ConfigError(
    `data-dir: ${config.dataDir} does not know the members of cluster ${found.clusterId} yet; start member ` +
      `${found.memberId} with --join and a client URL of the cluster, or with --initial-cluster-state existing`,
  );
}

function refused({ dataDir }: Config, { memberId, name, clusterId }: Identity, words: string): StorageRefused {
  return new StorageRefused({
    what: `The data directory belongs to member ${memberId} (${name}) of cluster ${clusterId}, ${words}.`,
    where: dataDir,
    advice: 'Nothing was changed. Give each member a data directory of its own.',
  });
}

/** It comes with the first snapshot. */
const noConfiguration = { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
