import type { MemberRecord } from '../mvcc/index.ts';
import type { MemberId } from '../raft/index.ts';
import { protocolVersions } from '../transport/index.ts';
import { peerRequestKinds } from './peer-request-kinds.ts';
import { decodeProgress, type LeaderProgress } from './progress.ts';
import type { Replica } from './replica.ts';
import type {
  Alarm,
  ClusterMember,
  ClusterService,
  ClusterView,
  HealthCheck,
  MemberState,
  MemberStatus,
  PeerStatus,
  RequestOptions,
  VersionView,
} from './service.ts';

export interface ClusterServiceOptions {
  readonly name: string;
  readonly version: string;
  /** Bytes of log and store on disk; may be some seconds old. */
  readonly dbSizeBytes: () => number;
}

/** How long the leader is asked for what only it knows, before the answer goes out without. */
const progressTimeoutMs = 1000;

/** The state of this member and of the cluster, for people and for health checks. */
export class ReplicaClusterService implements ClusterService {
  readonly #replica: Replica;
  readonly #options: ClusterServiceOptions;
  readonly #startedMs: number;

  constructor(replica: Replica, options: ClusterServiceOptions) {
    this.#replica = replica;
    this.#options = options;
    this.#startedMs = replica.options.clock.monotonicMs();
  }

  status(): MemberStatus {
    const { store, clusterId, memberId, clock } = this.#replica.options;
    const raft = this.#replica.core.status();
    return {
      memberId,
      clusterId,
      name: this.#options.name,
      version: this.#options.version,
      state: this.#state(),
      leader: raft.leader,
      raftTerm: raft.term,
      commitIndex: raft.commitIndex,
      appliedIndex: store.appliedIndex,
      lastIndex: raft.lastIndex,
      revision: store.revision,
      keyCount: store.keyCount,
      compactRevision: store.compactRevision,
      dbSizeBytes: this.#options.dbSizeBytes(),
      usedBytes: store.usedBytes,
      quotaBytes: store.quotaBytes,
      uptimeSeconds: Math.floor((clock.monotonicMs() - this.#startedMs) / 1000),
      peers: this.#peers(),
      errors: this.#errors(),
    };
  }

  versions(): VersionView {
    const { store } = this.#replica.options;
    return {
      version: this.#options.version,
      clusterVersion: store.clusterVersion,
      protocol: protocolVersions,
      members: store.members.map(({ id, name, version }) => ({ id, name, version })),
    };
  }

  alarms(): readonly Alarm[] {
    const { store } = this.#replica.options;
    const corrupt = [...store.corruptMembers.keys()].map((memberId) => ({ kind: 'corrupt', memberId }) as const);
    return store.isFull ? [{ kind: 'no_space', memberId: undefined }, ...corrupt] : corrupt;
  }

  async cluster(options: RequestOptions): Promise<ClusterView> {
    const { store, clusterId } = this.#replica.options;
    const progress = await this.#leaderProgress(options.timeoutMs);
    const { leader, term } = this.#replica.core;
    return {
      clusterId,
      leader,
      raftTerm: term,
      revision: store.revision,
      members: store.members.map((member) => this.#member(member, progress)),
    };
  }

  async readiness(): Promise<readonly HealthCheck[]> {
    const { core, reads, isStopping, options } = this.#replica;
    const isCorrupt = options.store.corruptMembers.has(options.memberId);
    const checks: HealthCheck[] = [
      ...this.liveness(),
      check('serving', !isStopping, 'this member is stopping; use another one'),
      check('data_corruption', !isCorrupt, "this member's state differs from the others', and is being made anew"),
      check('leader', core.leader !== undefined, 'the cluster has no leader as seen from this member'),
    ];
    if (checks.some(({ ok }) => !ok)) return checks;
    // Nothing else proves that requests can be served: a quorum is asked.
    const reached = await reads.confirm(2 * options.electionTimeoutMs).then(
      () => undefined,
      (error: Error) => error.message,
    );
    checks.push(check('linearizable_read', reached === undefined, reached ?? ''));
    return checks;
  }

  liveness(): readonly HealthCheck[] {
    const { driver, hasFailed } = this.#replica;
    const stalledMs = Math.round(driver.persistingForMs());
    return [
      check('running', !hasFailed, 'this member failed and is stopping; its log says why'),
      check('disk', !driver.isDiskStalled(), `a write to the log has taken ${stalledMs} ms so far; check the disk`),
    ];
  }

  #state(): MemberState {
    const { core, options } = this.#replica;
    if (core.role === 'leader') return 'leader';
    if (core.status().configuration.learners.includes(options.memberId)) return 'learner';
    return core.role === 'follower' ? 'follower' : 'candidate';
  }

  #errors(): string[] {
    const failed = [...this.liveness(), check('leader', this.#replica.core.leader !== undefined, 'no leader is known')];
    const { suspectTerm } = this.#replica.core.status();
    const suspect =
      suspectTerm === undefined
        ? []
        : [
            `suspect: this member lost something that it had acknowledged, and abstains from elections until a leader of ` +
              `a term after ${suspectTerm} has filled it up; nothing has to be done while the cluster has a leader`,
          ];
    const refused = this.#peers().filter((peer) => peer.state === 'refused');
    const alarms = this.alarms().map((alarm) =>
      alarm.kind === 'no_space'
        ? 'no_space: the data has reached its quota; delete keys, compact, or raise --quota-backend-bytes'
        : `corrupt: the state of member ${alarm.memberId} differs from the others'`,
    );
    return [
      ...suspect,
      ...alarms,
      ...failed.filter(({ ok }) => !ok).map(({ name, reason }) => `${name}: ${reason}`),
      ...refused.map((peer) => `peer ${peer.name}: refused: ${peer.reason ?? 'no reason was given'}`),
    ];
  }

  #peers(): PeerStatus[] {
    const { store, transport } = this.#replica.options;
    const names = new Map(store.members.map(({ id, name }) => [id, name]));
    return transport.peers().map(({ id, address, state, reason, lastContactMs, roundTripMs }) => ({
      id,
      name: names.get(id) ?? '',
      address,
      state,
      reason,
      lastContactMs: Math.round(lastContactMs),
      roundTripMs,
    }));
  }

  async #leaderProgress(timeoutMs: number): Promise<LeaderProgress | undefined> {
    const { transport, groupId, memberId } = this.#replica.options;
    const { leader } = this.#replica.core;
    if (leader === undefined) return undefined;
    if (leader === memberId) return this.#replica.progress();
    const answer = await transport.request(leader, {
      groupId,
      kind: peerRequestKinds.progress,
      body: Buffer.alloc(0),
      timeoutMs: Math.min(timeoutMs, progressTimeoutMs),
    });
    return answer.outcome === 'answered' ? decodeProgress(answer.body) : undefined;
  }

  #member(member: MemberRecord, progress: LeaderProgress | undefined): ClusterMember {
    const { learners } = this.#replica.core.status().configuration;
    const known = progress?.members.get(member.id);
    return {
      id: member.id,
      name: member.name,
      role: learners.includes(member.id) ? 'learner' : 'voter',
      state: this.#memberState(member.id, progress, known?.lastContactMs),
      peerUrls: member.peerUrls,
      clientUrls: member.clientUrls,
      version: member.version,
      matchIndex: known?.matchIndex,
      lagEntries: progress === undefined || known === undefined ? undefined : progress.lastIndex - known.matchIndex,
      lastContactMs: known?.lastContactMs ?? undefined,
    };
  }

  /** As the leader sees it; without a leader, as this member does. */
  #memberState(
    id: MemberId,
    progress: LeaderProgress | undefined,
    lastContactMs: number | null | undefined,
  ): ClusterMember['state'] {
    const { memberId, electionTimeoutMs } = this.#replica.options;
    if (id === this.#replica.core.leader) return 'leader';
    if (id === memberId) return 'follower';
    if (progress !== undefined) {
      return typeof lastContactMs === 'number' && lastContactMs <= electionTimeoutMs ? 'follower' : 'unreachable';
    }
    const peer = this.#replica.options.transport.peers().find((view) => view.id === id);
    return peer !== undefined && peer.lastContactMs <= electionTimeoutMs ? 'follower' : 'unreachable';
  }
}

function check(name: string, ok: boolean, reason: string): HealthCheck {
  return { name, ok, reason: ok ? undefined : reason };
}
