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
  const { clusterId, memberId } = found;
  const isOwn = memberId === founding.memberId;
  if (isOwn && clusterId === founding.clusterId) return founding;
  const saysNothingElse =
    config.join.length > 0 || config.initialClusterState === 'existing' || config.initialCluster.length === 1;
  if (!isOwn && !(saysNothingElse && found.name === config.name)) throw anotherMember(config, found, founding);
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

function anotherMember(config: Config, found: Identity, founding: ClusterIdentity): StorageRefused {
  const advice =
    found.name === config.name
      ? 'If it is that member, and only its flags are new, start it with --initial-cluster-state existing.'
      : 'Give each member a data directory of its own.';
  return new StorageRefused({
    what:
      `The data directory belongs to member ${found.memberId} (${found.name}) of cluster ${found.clusterId}, ` +
      `not to member ${founding.memberId} (${config.name}) of cluster ${founding.clusterId}.`,
    where: config.dataDir,
    advice: `Nothing was changed. ${advice}`,
  });
}

/** It comes with the first snapshot. */
const noConfiguration = { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
