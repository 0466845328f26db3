import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BalsaError } from '../../../contract/errors.ts';
import { refuseCrossOrigin } from '../../rest/cross-origin.ts';
import { countContainers } from '../../rest/json-body.ts';
import { readBody } from '../../rest/request-body.ts';
import type { Method, Service, StreamMethod, UnaryMethod } from '../method.ts';
import { fromJson, toJson } from '../proto/json.ts';
import { EtcdError } from '../status.ts';
import { errorJson, errorOf } from './error-json.ts';
import { GatewayCall } from './gateway-call.ts';
import { GatewayStream } from './gateway-stream.ts';

export interface GatewayOptions {
  readonly services: readonly Service[];
  readonly timeoutMs: number;
  readonly bodyBytesMax: number;
  readonly onFailure: (error: EtcdError, path: string) => void;
}

/** The names that the gateway has had. */
const roots = ['/v3', '/v3beta', '/v3alpha'] as const;
/** Objects and lists of one body: each takes two bytes to write and about fifty to keep. */
const containersMax = 65_536;

/** Etcd's JSON gateway: each method as a POST with the message as a JSON body (`api/v3rpc` behind grpc-gateway). */
export async function gatewayRoutes(app: FastifyInstance, options: GatewayOptions): Promise<void> {
  const streams = new Set<{ end(reason: unknown): void }>();

  function unaryHandler(method: UnaryMethod<object, object>) {
    return async (request: FastifyRequest, reply: FastifyReply): Promise<string> => {
      refuseCrossOrigin(request.raw.headers);
      const body = await readBody(request.raw, options.bodyBytesMax);
      if (countContainers(body) > containersMax)
        throw new EtcdError('INVALID_ARGUMENT', 'etcdserver: request is too large');
      // An empty body is an empty message.
      const message = fromJson(method.request, body.length === 0 ? '{}' : body.toString());
      const call = new GatewayCall(request.raw, reply.raw, options.timeoutMs);
      const answer = await method.handle(message, call);
      reply.headers(jsonHeaders);
      return toJson(method.response, answer);
    };
  }

  function streamHandler(method: StreamMethod<object, object>) {
    return (request: FastifyRequest, reply: FastifyReply): void => {
      refuseCrossOrigin(request.raw.headers);
      reply.hijack();
      const stream = new GatewayStream(request.raw, reply.raw, method, {
        ...options,
        onEnd: (error) => {
          streams.delete(stream);
          if (error?.code === 'INTERNAL') options.onFailure(error, request.url);
        },
      });
      streams.add(stream);
    };
  }

  app.setErrorHandler((reason, request, reply) => {
    const error = errorOf(reason);
    if (error.code === 'INTERNAL') options.onFailure(error, request.url);
    return reply.code(error.httpStatus).headers(jsonHeaders).send(errorJson(error));
  });

  // Else the streams would hold up the end of a member that stops.
  app.addHook('preClose', async () => {
    const stopping = new BalsaError('unavailable', 'This member stops.');
    for (const stream of streams) stream.end(stopping);
  });

  const schema = { hide: true } as object;
  for (const method of options.services.flatMap<Method>(({ methods }) => methods)) {
    const handler = method.kind === 'unary' ? unaryHandler(method) : streamHandler(method);
    for (const path of method.paths) for (const root of roots) app.post(`${root}/${path}`, { schema }, handler);
  }
  for (const root of roots) {
    app.all(`${root}/*`, { schema }, async (request, reply) => {
      // In grpc-gateway's words.
      const isPost = request.method === 'POST';
      const error = isPost
        ? new EtcdError('NOT_FOUND', 'Not Found')
        : new EtcdError('UNIMPLEMENTED', 'Method Not Allowed');
      reply.code(error.httpStatus).headers(jsonHeaders);
      return errorJson(error);
    });
  }
}

const jsonHeaders = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' } as const;
