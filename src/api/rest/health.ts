import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ClusterService, HealthCheck, KvService } from '../../replica/service.ts';
import { answerHeaders, jsonType, textType } from './answer-headers.ts';
import { checkSchema, healthSchema } from './health-schema.ts';
import { parameterSet } from './parameters.ts';
import { Query } from './query.ts';
import { splitTarget } from './request-target.ts';

export interface HealthRoutesOptions {
  readonly kv: KvService;
  readonly cluster: ClusterService;
}

const checkParameters = parameterSet('verbose', 'exclude');
/** Those that kubeadm writes into its probes of etcd. */
const healthParameters = parameterSet('serializable', 'exclude');

/** Health as Kubernetes (`/livez`, `/readyz`) and etcd's tools (`/health`) ask for it. */
export async function healthRoutes(app: FastifyInstance, options: HealthRoutesOptions): Promise<void> {
  const { kv, cluster } = options;

  async function livez(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    return sendChecks(request, reply, 'livez', cluster.liveness());
  }

  async function readyz(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    return sendChecks(request, reply, 'readyz', await cluster.readiness());
  }

  function sendChecks(request: FastifyRequest, reply: FastifyReply, name: string, all: readonly HealthCheck[]): string {
    const query = Query.parse(splitTarget(request.originalUrl).query, checkParameters);
    const excluded = query.texts('exclude');
    const checks = all.filter((check) => !excluded.includes(check.name));
    const isPassed = checks.every(({ ok }) => ok);
    const headers = answerHeaders(kv.header(), textType);
    headers['cache-control'] = 'no-store';
    headers['x-content-type-options'] = 'nosniff';
    reply.code(isPassed ? 200 : 503).headers(headers);
    if (isPassed && !query.flag('verbose')) return 'ok\n';
    return `${checks.map(checkLine).join('')}${name} check ${isPassed ? 'passed' : 'failed'}\n`;
  }

  async function health(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = Query.parse(splitTarget(request.originalUrl).query, healthParameters);
    const checks = query.flag('serializable') ? cluster.liveness() : await cluster.readiness();
    const failed = checks.filter(({ ok }) => !ok).map((check) => `${check.name}: ${check.reason ?? 'failed'}`);
    const excluded = query.texts('exclude');
    // Alarms of the whole cluster, as etcd counts them in: a monitor that knows no more than this has to see them.
    const alarms = cluster.alarms().map(({ kind }) => etcdAlarms[kind]);
    failed.push(...[...new Set(alarms)].filter((name) => !excluded.includes(name)).map((name) => `ALARM ${name}`));
    const reason = failed.join('; ');
    const headers = answerHeaders(kv.header(), jsonType);
    headers['cache-control'] = 'no-store';
    reply.code(failed.length === 0 ? 200 : 503).headers(headers);
    // A text, not a boolean, as etcd has it (`etcdhttp/health.go`).
    return `${JSON.stringify({ health: failed.length === 0 ? 'true' : 'false', reason })}\n`;
  }

  app.get('/livez', { schema: checkSchema('livez', checkParameters) }, livez);
  app.get('/readyz', { schema: checkSchema('readyz', checkParameters) }, readyz);
  app.get('/health', { schema: healthSchema(healthParameters) }, health);
}

const etcdAlarms = { no_space: 'NOSPACE', corrupt: 'CORRUPT' } as const;

/** As Kubernetes' components print their checks. */
function checkLine({ name, ok, reason }: HealthCheck): string {
  return ok ? `[+]${name} ok\n` : `[-]${name} failed: ${reason ?? 'no reason was given'}\n`;
}
