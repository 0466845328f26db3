import type { ClusterDescription, DescribedMember } from '../transport/index.ts';
import { askMembers, type Descriptions } from './ask-members.ts';
import { type Config, ConfigError } from './config.ts';

/** A place in a running cluster that is there for this member. */
export interface Admission {
  readonly clusterId: string;
  readonly memberId: string;
  /** All of them, also this one. */
  readonly members: readonly { readonly id: string; readonly peerUrls: readonly string[] }[];
}

const timeoutMs = 5000;

/**
 * As etcd's members do with `--initial-cluster-state existing` (`GetClusterFromRemotePeers`,
 * `ValidateClusterAndAssignIDs`): asks the others of `--initial-cluster`, finds itself by its peer URLs, and compares the
 * rest. Every refusal says what to change.
 */
export async function findAdmission(config: Config): Promise<Admission> {
  const cluster = await askOthers(config);
  const own = ownRecord(config, cluster);
  refuseOtherMembers(config, cluster);
  refuseLostData(own, cluster);
  return { clusterId: cluster.clusterId, memberId: own.id, members: cluster.members };
}

/** As `findAdmission`, for a member that has its id and has not heard from its cluster yet. */
export async function findMembers(config: Config, clusterId: string): Promise<Admission['members']> {
  const cluster = await askOthers(config);
  if (cluster.clusterId === clusterId) return cluster.members;
  throw new ConfigError(
    `initial-cluster: leads to cluster ${cluster.clusterId}, but the data directory ${config.dataDir} belongs to ` +
      `cluster ${clusterId}; give the members of that one`,
  );
}

/**
 * A member of a new cluster whose cluster knows already that it has run: its data is gone, and with it what it has
 * promised. Nobody answers while a cluster begins.
 */
export async function refuseIfItRanBefore(config: Config, founding: { clusterId: string; memberId: string }) {
  const { known } = await askMembers(otherPeerUrls(config), 1000);
  for (const { description } of known) {
    if (description.clusterId !== founding.clusterId) continue;
    const own = description.members.find(({ id }) => id === founding.memberId);
    if (own !== undefined) refuseLostData(own, description);
    else {
      throw new ConfigError(
        `data-dir: ${config.dataDir} is empty, and member ${founding.memberId} (${config.name}) was removed from cluster ` +
          `${founding.clusterId}, where an id never comes back; ${adviceToAdd(config, description)}`,
      );
    }
  }
}

async function askOthers(config: Config): Promise<ClusterDescription> {
  const urls = otherPeerUrls(config);
  if (urls.length === 0) {
    throw new ConfigError(
      'initial-cluster-state: "existing" needs the running members in --initial-cluster beside this one, ' +
        'or use --join with a client URL of any of them',
    );
  }
  return newest(await askMembers(urls, timeoutMs));
}

function newest({ known, silent }: Descriptions): ClusterDescription {
  const [first, ...rest] = known.toSorted(
    (one, other) => other.description.appliedIndex - one.description.appliedIndex,
  );
  if (first === undefined) {
    const reasons = silent.map(({ url, reason }) => `${url}: ${reason}`).join('; ');
    throw new ConfigError(
      `initial-cluster: none of its other members says what cluster it belongs to (${reasons}); ` +
        'check the addresses, and that the cluster runs',
    );
  }
  const other = rest.find(({ description }) => description.clusterId !== first.description.clusterId);
  if (other === undefined) return first.description;
  throw new ConfigError(
    `initial-cluster: ${first.url} belongs to cluster ${first.description.clusterId}, and ${other.url} to ` +
      `${other.description.clusterId}; give the members of one cluster`,
  );
}

function ownRecord(config: Config, cluster: ClusterDescription): DescribedMember {
  const own = cluster.members.find(({ peerUrls }) => sameUrls(peerUrls, config.initialAdvertisePeerUrls));
  if (own !== undefined) return own;
  const urls = config.initialAdvertisePeerUrls;
  const partly = cluster.members.find(({ peerUrls }) => peerUrls.some((url) => urls.includes(url)));
  if (partly !== undefined) {
    throw new ConfigError(
      `initial-cluster: this member is ${urls.join(',')}, and cluster ${cluster.clusterId} knows member ${nameOf(partly)} ` +
        `as ${partly.peerUrls.join(',')}; give it all of these URLs`,
    );
  }
  throw new ConfigError(
    `initial-cluster-state: cluster ${cluster.clusterId} has no member with the peer URL ${urls.join(',')}; ` +
      adviceToAdd(config, cluster),
  );
}

function refuseOtherMembers(config: Config, cluster: ClusterDescription): void {
  const right = `--initial-cluster=${cluster.members
    .flatMap((member) => member.peerUrls.map((url) => `${nameIn(config, member)}=${url}`))
    .join(',')}`;
  const missing = cluster.members.find((member) => !config.initialCluster.some((one) => isSame(one, member)));
  if (missing !== undefined) {
    throw new ConfigError(
      `initial-cluster: does not have member ${nameOf(missing)} (${missing.peerUrls.join(',')}) of cluster ` +
        `${cluster.clusterId}; use ${right}`,
    );
  }
  const extra = config.initialCluster.find((one) => !cluster.members.some((member) => isSame(one, member)));
  if (extra === undefined) return;
  throw new ConfigError(
    `initial-cluster: has ${extra.name} (${extra.peerUrls.join(',')}), which is no member of cluster ` +
      `${cluster.clusterId}; use ${right}`,
  );
}

/** What a member has acknowledged or voted counts for ever. Without its memory it would break its word. */
export function refuseLostData(
  own: Pick<DescribedMember, 'id' | 'name' | 'clientUrls' | 'version'>,
  cluster: { readonly clusterId: string; readonly members: readonly Pick<DescribedMember, 'id' | 'clientUrls'>[] },
): void {
  if (own.version === '' && own.clientUrls.length === 0) return;
  throw new ConfigError(
    `data-dir: is empty, but member ${nameOf(own)} of cluster ${cluster.clusterId} has run before: what it had promised ` +
      `is gone with its data; bring back its directory, or run "balsa member replace ${nameOf(own)}${endpointsOf(cluster, own.id)}"`,
  );
}

/** The very line to run. */
function adviceToAdd(config: Config, cluster: ClusterDescription): string {
  const urls = config.initialAdvertisePeerUrls.join(',');
  return `add it first: balsa member add ${config.name} --peer-urls=${urls}${endpointsOf(cluster, undefined)}`;
}

function endpointsOf(
  cluster: { readonly members: readonly Pick<DescribedMember, 'id' | 'clientUrls'>[] },
  except: string | undefined,
): string {
  const urls = cluster.members.filter(({ id }) => id !== except).flatMap(({ clientUrls }) => clientUrls.slice(0, 1));
  return urls.length === 0 ? '' : ` --endpoints=${urls.join(',')}`;
}

function otherPeerUrls(config: Config): readonly string[] {
  return config.initialCluster.filter(({ name }) => name !== config.name).flatMap(({ peerUrls }) => peerUrls);
}

function isSame(one: { readonly peerUrls: readonly string[] }, other: { readonly peerUrls: readonly string[] }) {
  return sameUrls(one.peerUrls, other.peerUrls);
}

function sameUrls(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((url) => other.includes(url));
}

function nameOf({ name, id }: { readonly name: string; readonly id: string }): string {
  return name === '' ? id : name;
}

/** The name that this configuration has for it, since one that has not been started may have none of its own. */
function nameIn(config: Config, member: DescribedMember): string {
  return config.initialCluster.find((one) => isSame(one, member))?.name ?? nameOf(member);
}
