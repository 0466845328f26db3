import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type {
  Alarm,
  ClusterMember,
  ClusterService,
  KvService,
  MemberStatus,
  PeerStatus,
} from '../../replica/service.ts';
import { answerHeaders, jsonType } from './answer-headers.ts';
import { alarmsSchema, clusterSchema, statusSchema } from './cluster-schema.ts';
import { parameterSet } from './parameters.ts';
import { prettyJson } from './pretty-json.ts';
import { Query } from './query.ts';
import { type TimeoutBounds, timeoutOf } from './read-options.ts';
import { splitTarget } from './request-target.ts';

export interface ClusterRoutesOptions extends TimeoutBounds {
  readonly kv: KvService;
  readonly cluster: ClusterService;
}

const parameters = parameterSet('timeout');

/**
 * `/v1/cluster`: all members, as the leader sees them. `/v1/status`: this member, as it sees itself. `/v1/alarms`: what
 * keeps the cluster from doing all that it should, as this member knows it.
 */
export async function clusterRoutes(app: FastifyInstance, options: ClusterRoutesOptions): Promise<void> {
  const { kv, cluster } = options;

  async function showCluster(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = Query.parse(splitTarget(request.originalUrl).query, parameters);
    const { clusterId, leader, raftTerm, revision, members } = await cluster.cluster({
      timeoutMs: timeoutOf(query, options),
    });
    reply.headers(answerHeaders(kv.header(), jsonType));
    return prettyJson({ clusterId, leader: leader ?? null, raftTerm, revision, members: members.map(member) });
  }

  async function showStatus(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = Query.parse(splitTarget(request.originalUrl).query, parameters);
    timeoutOf(query, options);
    reply.headers(answerHeaders(kv.header(), jsonType));
    return prettyJson(status(cluster.status()));
  }

  async function showAlarms(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = Query.parse(splitTarget(request.originalUrl).query, parameters);
    timeoutOf(query, options);
    reply.headers(answerHeaders(kv.header(), jsonType));
    return prettyJson({ alarms: cluster.alarms().map(alarm) });
  }

  app.get('/v1/cluster', { schema: clusterSchema(parameters) }, showCluster);
  app.get('/v1/status', { schema: statusSchema(parameters) }, showStatus);
  app.get('/v1/alarms', { schema: alarmsSchema(parameters) }, showAlarms);
}

function member(of: ClusterMember): object {
  return {
    id: of.id,
    name: of.name,
    role: of.role,
    state: of.state,
    peerUrls: of.peerUrls,
    clientUrls: of.clientUrls,
    matchIndex: known(of.matchIndex),
    lagEntries: known(of.lagEntries),
    lastContactMs: known(of.lastContactMs),
    version: of.version,
  };
}

function alarm({ kind, memberId }: Alarm): object {
  return { alarm: kind, ...(memberId !== undefined && { memberId }) };
}

function status(of: MemberStatus): object {
  return {
    memberId: of.memberId,
    clusterId: of.clusterId,
    name: of.name,
    version: of.version,
    state: of.state,
    leader: of.leader ?? null,
    raftTerm: of.raftTerm,
    commitIndex: of.commitIndex,
    appliedIndex: of.appliedIndex,
    lastIndex: of.lastIndex,
    revision: of.revision,
    keyCount: of.keyCount,
    dbSizeBytes: of.dbSizeBytes,
    uptimeSeconds: of.uptimeSeconds,
    peers: of.peers.map(peer),
    errors: of.errors,
  };
}

function peer(of: PeerStatus): object {
  return {
    id: of.id,
    name: of.name,
    address: of.address,
    state: of.state,
    reason: of.reason ?? null,
    lastContactMs: known(of.lastContactMs),
    roundTripMs: known(of.roundTripMs),
  };
}

/** JSON has no infinity, which stands for "never" and "not measured". */
function known(number: number | undefined): number | null {
  return number !== undefined && Number.isFinite(number) ? number : null;
}
