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
    const excluded = query.texts('exclude');
    // Alarms of the whole cluster, as etcd counts them in: a monitor that knows no more than this has to see them.
    const alarm = cluster.alarms().find(({ kind }) => !excluded.includes(etcdAlarms[kind]));
    const reason = etcdReason(alarm && etcdAlarms[alarm.kind], checks);
    const headers = answerHeaders(kv.header(), jsonType);
    headers['cache-control'] = 'no-store';
    reply.code(reason === '' ? 200 : 503).headers(headers);
    // A text, not a boolean, as etcd has it.
    return `${JSON.stringify({ health: reason === '' ? 'true' : 'false', reason })}\n`;
  }

  app.get('/livez', { schema: checkSchema('livez', checkParameters) }, livez);
  app.get('/readyz', { schema: checkSchema('readyz', checkParameters) }, readyz);
  app.get('/health', { schema: healthSchema(healthParameters) }, health);
}

const etcdAlarms = { no_space: 'NOSPACE', corrupt: 'CORRUPT' } as const;

/** One reason, in etcd's words and order (`etcdhttp/health.go`); behind them what a check of ours says. Empty: healthy. */
function etcdReason(alarm: string | undefined, checks: readonly HealthCheck[]): string {
  if (alarm !== undefined) return `ALARM ${alarm}`;
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.some(({ name }) => name === 'leader')) return 'RAFT NO LEADER';
  const [first] = failed;
  return first === undefined ? '' : `RANGE ERROR:${first.name}: ${first.reason ?? 'failed'}`;
}

/** As Kubernetes' components print their checks. */
function checkLine({ name, ok, reason }: HealthCheck): string {
  return ok ? `[+]${name} ok\n` : `[-]${name} failed: ${reason ?? 'no reason was given'}\n`;
}
