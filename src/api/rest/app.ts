import Fastify, { type FastifyInstance } from 'fastify';
import type { BalsaError } from '../../contract/errors.ts';
import type {
  BackupService,
  ClusterService,
  KvService,
  LeaseService,
  MembershipService,
  WatchService,
} from '../../replica/service.ts';
import { answerKeys } from './answer-keys.ts';
import { endBrokenConnection, refuseMissingHost } from './client-error.ts';
import { clusterRoutes } from './cluster.ts';
import { compactRoutes } from './compact.ts';
import { healthRoutes } from './health.ts';
import { createHttpServer } from './http-server.ts';
import { KeyRequests } from './key-requests.ts';
import { kvRoutes } from './kv.ts';
import { leaseRoutes } from './leases.ts';
import { memberRoutes } from './members.ts';
import { metricsRoutes } from './metrics.ts';
import { collectRoutes, openapiRoutes } from './openapi.ts';
import { sendProblem } from './problem.ts';
import { rangeRoutes } from './range.ts';
import { requestError } from './request-error.ts';
import { measureRequests, type RequestMetrics } from './request-metrics.ts';
import { routedUrl } from './request-target.ts';
import { snapshotRoutes } from './snapshot.ts';
import { txnBytesMaxFor, txnRoutes } from './txn.ts';
import { uiRoutes } from './ui.ts';
import { answerUnrouted } from './unrouted.ts';
import { versionRoutes } from './version.ts';
import { watchRoutes } from './watch.ts';

/** Where the server's own mistakes go; what clients do wrong is told to them. */
export interface RestLog {
  /** A request failed for a reason of ours: the `cause` of an `internal` error has it. */
  readonly requestFailed: (error: BalsaError, request: { readonly method: string; readonly url: string }) => void;
  /** A listener reported an error; it goes on listening. */
  readonly listenerFailed: (error: Error) => void;
}

export interface RestOptions {
  readonly kv: KvService;
  readonly watch: WatchService;
  readonly leases: LeaseService;
  readonly cluster: ClusterService;
  readonly membership: MembershipService;
  readonly backup: BackupService;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly requestMetrics?: RequestMetrics;
  /** Balsa's own. */
  readonly version: string;
  /** Where the files of the page at `/ui` are; beside this room, unless somebody says otherwise. */
  readonly uiDirectory?: URL;
  readonly log: RestLog;
  readonly valueBytesMax: number;
  /** For a request that names none. */
  readonly defaultTimeoutMs?: number;
  /** The longest that a request may name. */
  readonly maxTimeoutMs?: number;
  /** Until the headers of a request are complete. */
  readonly headersTimeoutMs?: number;
  /** Until a request is complete, its body included. */
  readonly requestTimeoutMs?: number;
  /** Between two requests on one connection; above the minute that load balancers like to keep connections. */
  readonly keepAliveTimeoutMs?: number;
  /** Without a byte in either direction while a request is under way; more than `maxTimeoutMs`. */
  readonly idleTimeoutMs?: number;
}

/**
 * The REST API as a Fastify instance that does not listen yet. `listen` opens its first address; for further ones hand
 * their connections over, with the options that Node's HTTP server gives its own:
 * `createServer({ allowHalfOpen: true, noDelay: true }, (socket) => app.server.emit('connection', socket))`. `close` lets
 * requests that are under way end; a client that does not read may hold it up for `idleTimeoutMs`, unless
 * `app.server.closeAllConnections()` is called.
 */
export function createRestApp(options: RestOptions): FastifyInstance {
  const { kv, watch, leases, cluster, membership, backup, metrics, version, log, valueBytesMax } = options;
  const { uiDirectory = new URL('../../ui/', import.meta.url) } = options;
  const {
    defaultTimeoutMs = 5000,
    maxTimeoutMs = 60_000,
    headersTimeoutMs = 10_000,
    requestTimeoutMs = 30_000,
  } = options;
  const { keepAliveTimeoutMs = 65_000, idleTimeoutMs = Math.max(60_000, maxTimeoutMs + 10_000) } = options;
  const timeouts = { defaultTimeoutMs, maxTimeoutMs };
  const txnBytesMax = txnBytesMaxFor(valueBytesMax);
  const bodyBytesMax = (method: string): number => (method === 'POST' ? txnBytesMax : valueBytesMax);
  const limits = { headersTimeoutMs, requestTimeoutMs, idleTimeoutMs, keepAliveTimeoutMs, bodyBytesMax };

  const reportFailure = (error: BalsaError, request: { readonly method: string; readonly url: string }): void => {
    if (error.code === 'internal') log.requestFailed(error, request);
  };
  const keys = new KeyRequests(kv, timeouts);
  const answerKey = answerKeys(keys, { header: () => kv.header(), reportFailure, metrics: options.requestMetrics });

  const app = Fastify({
    // A line a request would cost more than the request; what matters is in the metrics.
    logger: false,
    serverFactory: (handler) =>
      createHttpServer(handler, answerKey, limits, {
        onClientError: (error, socket) => endBrokenConnection(error, socket, () => kv.header()),
        onMissingHost: (response) => refuseMissingHost(response, kv.header()),
        onServerError: log.listenerFailed,
      }),
    // The server's own handler does it, on each listener; Fastify sets this one on the first of them only.
    clientErrorHandler: () => {},
    // On a kept connection a closing member answers as long as it can, then with a typed `unavailable`.
    return503OnClosing: false,
    rewriteUrl: (request) => routedUrl(request.url ?? '/'),
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: false,
      ignoreDuplicateSlashes: false,
      // `Query` reads the original: Fastify's parser knows text only, and lets repeated parameters pass.
      querystringParser: () => ({}),
    },
    bodyLimit: valueBytesMax,
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, requestError(error), kv.header()),
  });

  // Fastify would parse a body by its content type; a value is bytes, and JSON comes from curl as that of a form.
  app.addHttpMethod('POST', { hasBody: false, overrideExisting: true });
  app.addHttpMethod('PUT', { hasBody: false, overrideExisting: true });
  app.addHttpMethod('PATCH', { hasBody: false, overrideExisting: true });
  app.addHttpMethod('DELETE', { hasBody: false, overrideExisting: true });
  app.removeAllContentTypeParsers();

  app.setErrorHandler((reason, request, reply) => {
    const error = requestError(reason);
    reportFailure(error, { method: request.method, url: request.originalUrl });
    return sendProblem(reply, error, kv.header());
  });
  answerUnrouted(app);
  closeIdleConnections(app);

  if (options.requestMetrics !== undefined) measureRequests(app, options.requestMetrics);
  const routes = collectRoutes(app);
  app.register(kvRoutes, { keys, valueBytesMax });
  app.register(rangeRoutes, { kv, ...timeouts, reportFailure });
  app.register(txnRoutes, { kv, txnBytesMax, ...timeouts });
  app.register(watchRoutes, { kv, watch, idleTimeoutMs, ...timeouts });
  app.register(leaseRoutes, { leases, ...timeouts });
  app.register(compactRoutes, { kv, ...timeouts });
  app.register(clusterRoutes, { kv, cluster, ...timeouts });
  app.register(memberRoutes, { membership, ...timeouts });
  app.register(snapshotRoutes, { kv, backup, ...timeouts, reportFailure });
  app.register(healthRoutes, { kv, cluster });
  app.register(metricsRoutes, { kv, metrics });
  app.register(versionRoutes, { kv, cluster, version, ...timeouts });
  app.register(uiRoutes, { kv, directory: uiDirectory });
  app.register(openapiRoutes, { kv, version, routes });
  return app;
}

/** `close` ends the connections that are idle; here those that become idle while it waits for the others. */
function closeIdleConnections(app: FastifyInstance): void {
  app.addHook('preClose', async () => {
    if (!app.server.listening) return;
    const sweep = setInterval(() => app.server.closeIdleConnections(), 20);
    app.server.once('close', () => clearInterval(sweep));
  });
}
