import { join } from 'node:path';
import { createEtcdApi, type EtcdApiOptions, gatewayRoutes } from '../api/etcd/index.ts';
import { createRestApp } from '../api/rest/index.ts';
import { isOlder } from '../base/software-version.ts';
import { DamagedValue, type MemberRecord } from '../mvcc/index.ts';
import {
  AutoCompaction,
  ClusterVersion,
  Integrity,
  MemberExpelled,
  openState,
  publishCommand,
  Quota,
  ReluctantLeader,
  Replica,
  ReplicaBackupService,
  ReplicaClusterService,
  ReplicaKvService,
  ReplicaLeaseService,
  ReplicaMembershipService,
  ReplicaWatchService,
  removedAtStart,
  Scrubber,
  type State,
  StateDiffers,
} from '../replica/index.ts';
import { directoryFiles, openIdentity } from '../storage/index.ts';
import { openTransport, type PeerTransport } from '../transport/index.ts';
import { type ClientListener, listenForClients } from './client-listener.ts';
import type { ClusterIdentity } from './cluster-identity.ts';
import { autoCompactionOf, type Config, ConfigError, resolveConfig } from './config.ts';
import { DirectorySize } from './directory-size.ts';
import { establishIdentity } from './establish-identity.ts';
import { groupId } from './group.ts';
import { reportJoining } from './join-progress.ts';
import { type Log, silentLog } from './logger.ts';
import { createMetrics, type NodeMetrics, type StateSources } from './metrics/index.ts';
import { systemClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';
import { version } from './version.ts';

/** A running member. */
export interface BalsaNode {
  readonly memberId: string;
  readonly clusterId: string;
  /** What clients can connect to: really bound, where a port 0 was asked for. */
  readonly clientUrls: readonly string[];
  readonly peerUrls: readonly string[];
  /** Resolves when the cluster has a leader and this member can serve requests. */
  readonly ready: Promise<void>;
  /** Resolves after `stop()`; rejects when the member had to stop by itself, with the reason. */
  readonly stopped: Promise<void>;
  /** Hands leadership over, ends the requests under way, and closes everything. */
  stop(): Promise<void>;
}

export interface OpenOptions {
  /** Nothing is logged without it. */
  readonly log?: Log;
}

const logCacheBytes = 4 * 1024 * 1024;
/** How long requests under way may take when the member stops. */
const drainMs = 1000;
const publishTimeoutMs = 5000;
/** About 2,000 records a second, once a day: a hundredth of a core while it lasts. */
const scrubbing = { intervalMs: 86_400_000, pauseMs: 250 } as const;

/**
 * Starts one member. With `{}` it is a cluster of its own on 2379, with its data in `./balsa-data`.
 *
 * ```ts
 * const node = await open({ dataDir: '/var/lib/app/balsa', listenClientUrls: ['http://127.0.0.1:0'] });
 * await node.ready;
 * ```
 *
 * @throws ConfigError, DamagedStorage, StorageInUse, ListenError: each says in one sentence what to do.
 */
export async function open(partial: Partial<Config> = {}, { log = silentLog }: OpenOptions = {}): Promise<BalsaNode> {
  const config = resolveConfig(partial);
  const identity = await establishIdentity(config, log);
  const resources = new Resources();
  try {
    return await start(config, identity, log, resources);
  } catch (reason) {
    await resources.close();
    throw reason;
  }
}

async function start(config: Config, identity: ClusterIdentity, log: Log, resources: Resources): Promise<BalsaNode> {
  const { clusterId, memberId } = identity;
  let sources: StateSources | undefined;
  const metrics = createMetrics({ version, memberId }, () => sources);
  const state = await openStorage(config, identity, metrics, log, resources);
  const { store, log: raftLog } = state;
  const stopping = new Stopping();
  let replica: Replica | undefined;
  const transport = await openPeers(config, identity, state, metrics, log, resources, {
    role: (id) => (replica?.core.status().configuration.learners.includes(id) ? 'learner' : 'voter'),
    onExpelled: (reason) => {
      stopping.fail(reason);
      replica?.fail(reason);
    },
  });
  replica = new Replica({
    groupId,
    clusterId,
    memberId,
    log: raftLog,
    store,
    state,
    snapshotCount: config.snapshotCount,
    transport,
    clock: systemClock,
    random: systemRandom(),
    heartbeatIntervalMs: config.heartbeatIntervalMs,
    electionTimeoutMs: config.electionTimeoutMs,
    metrics: metrics.replica,
    logger: log,
    onFailure: (reason) => {
      log.error('this member cannot go on and stops', { reason });
      const isWrong = reason instanceof DamagedValue || reason instanceof StateDiffers;
      void (isWrong ? state.discard(reason) : Promise.resolve()).then(() => stopping.fail(reason));
    },
  });
  const directories = ['log', 'data'].map((name) => join(config.dataDir, name));
  const size = await DirectorySize.watch(directories, systemClock);
  resources.add(() => size.close());
  const cluster = new ReplicaClusterService(replica, { name: config.name, version, dbSizeBytes: () => size.bytes });
  const kv = new ReplicaKvService(replica, { valueBytesMax: config.maxRequestBytes, pageBytesMax: 4 * 1024 * 1024 });
  const leases = new ReplicaLeaseService(replica);
  const watch = new ReplicaWatchService(replica);
  const membership = new ReplicaMembershipService(replica);
  const backup = new ReplicaBackupService(replica, { version });
  new ClusterVersion(replica);
  new ReluctantLeader(replica, { avoidsLeading: config.leadership === 'avoid' });
  new Quota(replica, config.quotaBackendBytes);
  new AutoCompaction(replica, autoCompactionOf(config) ?? { mode: 'off' });
  new Integrity(replica, { intervalMs: config.corruptCheckTimeMs });
  const scrubber = new Scrubber({ store, clock: systemClock, logger: log, ...scrubbing });
  resources.add(() => scrubber.stop());
  const running = replica;
  resources.add(() => running.stop());
  sources = stateSources(running, cluster);
  replica.start();
  if (config.join.length > 0) resources.add(reportJoining(running, cluster, systemClock, log));
  const listener = await serveClients(config, { kv, cluster, membership, backup, leases, watch, metrics, log });
  log.info('serving clients', { urls: listener.urls, memberId, clusterId });
  const ready = publish(replica, config, identity, listener, log);

  return {
    memberId,
    clusterId,
    clientUrls: listener.urls,
    peerUrls: transport.addresses(),
    ready,
    stopped: stopping.done,
    stop: () =>
      stopping.once(async () => {
        log.info('stopping', {});
        await running.transferLeadership();
        watch.close();
        await listener.close(drainMs);
        running.refuseRequests('This member is stopping');
        await running.drain(drainMs);
        await resources.close();
        log.info('stopped', {});
      }),
  };
}

function stateSources(replica: Replica, cluster: ReplicaClusterService): StateSources {
  const { store } = replica.options;
  return {
    status: () => cluster.status(),
    progress: () => replica.progress(),
    alarms: () => cluster.alarms(),
    pendingWrites: () => replica.writes.pending,
    store: () => ({
      bufferedBytes: store.bufferedBytes,
      compactRevision: store.compactRevision,
      usedBytes: store.usedBytes,
      quotaBytes: store.quotaBytes,
      openViews: store.openViews,
      openExports: store.openExports,
      watches: store.watches.size,
      slowWatches: store.watches.behind,
      leases: store.leases.size,
    }),
  };
}

async function openStorage(
  config: Config,
  identity: ClusterIdentity,
  metrics: NodeMetrics,
  log: Log,
  resources: Resources,
): Promise<State> {
  const { clusterId, memberId, configuration, members, token } = identity;
  await openIdentity(config.dataDir, { clusterId, memberId, name: config.name, token });
  const state = await openState({
    groupId,
    clusterId,
    memberId,
    files: directoryFiles(config.dataDir),
    clock: systemClock,
    bootstrap: configuration,
    bootstrapMembers: members,
    logCacheBytes,
    flushIntervalMs: 1000,
    flushChangesMax: 16_384,
    flushBytesMax: 2 * 1024 * 1024,
    metrics: metrics.replica,
    logger: log,
  });
  resources.add(() => state.close());
  refuseNewerCluster(state, config);
  return state;
}

/** Newer members may have put into the log what this software does not understand. */
function refuseNewerCluster({ store }: State, { dataDir }: Config): void {
  if (!isOlder(version, store.clusterVersion)) return;
  throw new ConfigError(
    `data-dir: the cluster of ${dataDir} has agreed on version ${store.clusterVersion}, and this is Balsa ${version}; ` +
      `start Balsa ${store.clusterVersion} or newer`,
  );
}

async function openPeers(
  config: Config,
  { clusterId, memberId, whomToAsk }: ClusterIdentity,
  state: State,
  metrics: NodeMetrics,
  log: Log,
  resources: Resources,
  membership: {
    readonly role: (member: string) => 'voter' | 'learner';
    /** The cluster does not talk to this member any more. */
    readonly onExpelled: (reason: MemberExpelled) => void;
  },
): Promise<PeerTransport> {
  const { store } = state;
  const members = store.members.length > 0 ? store.members : await whomToAsk();
  adviseOnMembers(config, store.members, log);
  const transport = await openTransport({
    clusterId,
    memberId,
    listenUrls: config.listenPeerUrls,
    advertisedUrls: () => store.members.find(({ id }) => id === memberId)?.peerUrls ?? config.initialAdvertisePeerUrls,
    peers: members.filter(({ id }) => id !== memberId).map(({ id, peerUrls }) => ({ id, urls: peerUrls })),
    removed: removedAtStart(state),
    softwareVersion: version,
    clusterVersion: () => store.clusterVersion,
    describeCluster: () => {
      if (store.members.length === 0) return undefined;
      const described = store.members.map((member) => ({ ...member, role: membership.role(member.id) }));
      return {
        clusterId,
        memberId,
        appliedIndex: store.appliedIndex,
        clusterVersion: store.clusterVersion,
        members: described,
      };
    },
    onRefused: ({ code, reason }) => {
      if (code === 'removed' || code === 'version_too_old') membership.onExpelled(new MemberExpelled(reason));
    },
    heartbeatMs: config.heartbeatIntervalMs,
    queueBytesMax: 64 * 1024 * 1024,
    frameBytesMax: 16 * 1024 * 1024 + config.maxRequestBytes,
    clock: systemClock,
    random: systemRandom(),
    metrics: metrics.transport,
    log,
  });
  resources.add(() => transport.close());
  return transport;
}

/** A member that has data goes by its data: who the members are is decided in the log. */
function adviseOnMembers({ initialCluster, dataDir }: Config, members: readonly MemberRecord[], log: Log): void {
  const known = new Set(members.flatMap(({ peerUrls }) => peerUrls));
  const given = initialCluster.flatMap(({ peerUrls }) => peerUrls);
  if (members.length === 0 || initialCluster.length === 1) return;
  if (given.length === known.size && given.every((url) => known.has(url))) return;
  const present = members.map(({ name, peerUrls }) => `${name}=${peerUrls.join(',')}`);
  if (!given.some((url) => known.has(url))) {
    throw new ConfigError(
      `initial-cluster: has no member of the cluster that the data directory ${dataDir} belongs to ` +
        `(${present.join(',')}); give each member a data directory of its own`,
    );
  }
  log.warn('initial-cluster has no effect: the members of this cluster are others by now', { members: present });
}

function serveClients(
  config: Config,
  parts: {
    readonly kv: ReplicaKvService;
    readonly cluster: ReplicaClusterService;
    readonly membership: ReplicaMembershipService;
    readonly backup: ReplicaBackupService;
    readonly leases: ReplicaLeaseService;
    readonly watch: ReplicaWatchService;
    readonly metrics: NodeMetrics;
    readonly log: Log;
  },
): Promise<ClientListener> {
  const app = createRestApp({
    kv: parts.kv,
    cluster: parts.cluster,
    membership: parts.membership,
    backup: parts.backup,
    leases: parts.leases,
    watch: parts.watch,
    metrics: () => parts.metrics.render(),
    requestMetrics: parts.metrics.requests,
    version,
    valueBytesMax: config.maxRequestBytes,
    log: {
      requestFailed: (error, request) =>
        parts.log.error('request failed', { ...request, reason: error.cause ?? error }),
      listenerFailed: (error) => parts.log.error('client listener failed', { reason: error }),
    },
  });
  const shared: Pick<EtcdApiOptions, 'timeoutMs' | 'onFailure'> = {
    // As etcd: five seconds, and time for an election.
    timeoutMs: 5000 + 2 * config.electionTimeoutMs,
    onFailure: (error, path) => parts.log.error('request failed', { path, reason: error.cause ?? error }),
  };
  const { kv, cluster, membership, backup, leases, watch } = parts;
  const { grpc, services } = createEtcdApi({
    ...shared,
    kv,
    cluster,
    membership,
    backup,
    leases,
    watch,
    requestBytesMax: config.maxRequestBytes,
    progressNotifyMs: config.watchProgressNotifyMs,
  });
  parts.metrics.countCalls(grpc);
  // Base64 takes a third more than the bytes.
  app.register(gatewayRoutes, { ...shared, services, bodyBytesMax: 2 * config.maxRequestBytes });
  return listenForClients(app, grpc, config.listenClientUrls);
}

/** Tells the cluster, through the log, how clients reach this member; when that is done, requests can be served. */
async function publish(
  replica: Replica,
  config: Config,
  identity: ClusterIdentity,
  listener: ClientListener,
  log: Log,
): Promise<void> {
  const advertised = config.advertiseClientUrls.map(
    (url, i) => (new URL(url).port === '0' ? listener.urls[i] : url) ?? url,
  );
  const command = publishCommand({ id: identity.memberId, name: config.name, clientUrls: advertised, version });
  for (;;) {
    try {
      await replica.submit(command, publishTimeoutMs);
      break;
    } catch (reason) {
      if (replica.isStopping) return;
      log.warn('waiting for the cluster', { reason });
    }
  }
  log.info('ready to serve client requests', { urls: advertised, memberId: identity.memberId });
}

/** What was opened, closed in the opposite order. */
class Resources {
  readonly #closers: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Closes everything, whatever fails, and then throws the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close();
      } catch (reason) {
        failures.push(reason);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** The end of a member: asked for, or forced by a failure; whichever comes first. */
class Stopping {
  readonly done: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;
  #stopping: Promise<void> | undefined;

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever does not look at `stopped` must not be ended by it.
    this.done.catch(() => undefined);
  }

  fail(reason: unknown): void {
    this.#reject(reason);
  }

  once(stop: () => Promise<void>): Promise<void> {
    this.#stopping ??= stop().then(this.#resolve, (reason: unknown) => {
      this.#reject(reason);
      throw reason;
    });
    return this.#stopping;
  }
}
