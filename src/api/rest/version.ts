import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { etcdVersion } from '../../contract/etcd-version.ts';
import type { ClusterService, KvService } from '../../replica/service.ts';
import { answerHeaders, jsonType, textType } from './answer-headers.ts';
import { parameterSet } from './parameters.ts';
import { Query } from './query.ts';
import { type TimeoutBounds, timeoutOf } from './read-options.ts';
import { splitTarget } from './request-target.ts';
import { clusterVersionSchema, greetingSchema, versionSchema } from './version-schema.ts';

export interface VersionRoutesOptions extends TimeoutBounds {
  readonly kv: KvService;
  readonly cluster: ClusterService;
  readonly version: string;
}

const parameters = parameterSet();
const clusterParameters = parameterSet('timeout');

/** `/version`, what the cluster agreed on at `/v1/version`, and a greeting at `/` for whoever finds the port. */
export async function versionRoutes(app: FastifyInstance, options: VersionRoutesOptions): Promise<void> {
  const { kv, cluster, version } = options;
  const versions = { etcdserver: etcdVersion, etcdcluster: etcdVersion, balsa: version };
  const versionText = `${JSON.stringify(versions)}\n`;

  async function showVersion(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    Query.parse(splitTarget(request.originalUrl).query, parameters);
    reply.headers(answerHeaders(kv.header(), jsonType));
    return versionText;
  }

  async function showClusterVersion(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    timeoutOf(Query.parse(splitTarget(request.originalUrl).query, clusterParameters), options);
    reply.headers(answerHeaders(kv.header(), jsonType));
    const { version, clusterVersion, protocol, members } = cluster.versions();
    return `${JSON.stringify({ version, clusterVersion, protocol, members }, undefined, 2)}\n`;
  }

  async function greet(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    Query.parse(splitTarget(request.originalUrl).query, parameters);
    const headers = answerHeaders(kv.header(), textType);
    headers['x-content-type-options'] = 'nosniff';
    reply.headers(headers);
    return greeting(version, request.host || 'localhost:2379');
  }

  app.get('/version', { schema: versionSchema(parameters) }, showVersion);
  app.get('/v1/version', { schema: clusterVersionSchema(clusterParameters) }, showClusterVersion);
  app.get('/', { schema: greetingSchema(parameters) }, greet);
}

function greeting(version: string, host: string): string {
  return `Balsa ${version}, a replicated key-value server.

  put a value    curl -X PUT http://${host}/v1/kv/hello -d world
  get it         curl http://${host}/v1/kv/hello
  list keys      curl 'http://${host}/v1/kv?prefix='
  delete it      curl -X DELETE http://${host}/v1/kv/hello
  watch changes  curl -N 'http://${host}/v1/watch?prefix='

  a page         http://${host}/ui

  this member    /v1/status
  all members    /v1/cluster
  the whole API  /openapi.json
  transactions   /v1/txn
  leases         /v1/leases
  and            /metrics /livez /readyz /health /version
`;
}
