import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type RouteOptions } from 'fastify';
import type { KvService } from '../../replica/service.ts';
import { answerHeaders, jsonType } from './answer-headers.ts';
import { putBody } from './kv-schema.ts';
import { parameterSet } from './parameters.ts';
import { Query } from './query.ts';
import { keyPath, keyRoute, splitTarget } from './request-target.ts';
import { sharedSchemas } from './schema-parts.ts';
import { txnSharedSchemas } from './txn-schema.ts';
import { openapiSchema } from './version-schema.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the body of a request has to be. In the route's schema Fastify would want to read it by itself. */
    readonly jsonBody?: object;
  }
}

export interface OpenapiRoutesOptions {
  readonly kv: KvService;
  readonly version: string;
  readonly routes: readonly RouteOptions[];
}

/**
 * All routes that are added to the app from here on, with their schemas. These are for the document only and are kept
 * from the app: requests are checked by code that can say what is wrong, answers are written by hand, and what Fastify
 * would make of a schema is called for each request.
 */
export function collectRoutes(app: FastifyInstance): readonly RouteOptions[] {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    routes.push({ ...route });
    delete route.schema;
  });
  return routes;
}

/** `/openapi.json`, made of the routes' own schemas when it is first asked for. */
export async function openapiRoutes(app: FastifyInstance, options: OpenapiRoutesOptions): Promise<void> {
  const parameters = parameterSet();
  let text: Promise<string> | undefined;

  async function showOpenapi(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    Query.parse(splitTarget(request.originalUrl).query, parameters);
    text ??= describe(options.routes, options.version);
    const body = await text;
    reply.headers(answerHeaders(options.kv.header(), jsonType));
    return body;
  }

  app.get('/openapi.json', { schema: openapiSchema(parameters) }, showOpenapi);
}

/**
 * The document, from an app that only lends the routes to the generator. The generator and the YAML library that it
 * loads are kept out of the process until somebody asks: with them in the serving app a request costs a tenth more.
 */
async function describe(routes: readonly RouteOptions[], version: string): Promise<string> {
  const { default: swagger } = await import('@fastify/swagger');
  const app = Fastify({ exposeHeadRoutes: false });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  for (const schema of [...sharedSchemas, ...txnSharedSchemas]) app.addSchema(schema);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Balsa',
        version,
        description:
          'A replicated key-value server. A value is a body, its version is the ETag, a condition is an HTTP condition. ' +
          'Any member takes any request.',
        license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
    },
    exposeHeadRoutes: true,
    refResolver: {
      buildLocalReference: (schema, _baseUri, _fragment, index) => `${schema['$id'] ?? `schema-${index}`}`,
    },
    // What the router calls a wildcard has a name.
    transform: ({ schema, url }) => ({ schema, url: url === keyRoute ? keyPath : url }),
    transformObject: (document) => ('openapiObject' in document ? completed(document.openapiObject) : {}),
  });
  for (const { method, url, schema = {}, config } of routes) {
    const body = config?.jsonBody === undefined ? {} : { body: config.jsonBody };
    app.route({ method, url, schema: { ...schema, ...body }, handler: () => {} });
  }
  await app.ready();
  const document = app.swagger();
  await app.close();
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** Says what Fastify's schemas have no words for: an optional body of any type, and answers to HEAD without one. */
function completed<Document extends { paths?: object }>(document: Document): Document {
  const paths = (document.paths ?? {}) as Record<string, { put?: Operation; head?: Operation }>;
  const put = paths[keyPath]?.put;
  if (put !== undefined) put.requestBody = putBody;
  for (const { head } of Object.values(paths)) {
    if (head === undefined) continue;
    head.responses = Object.fromEntries(
      Object.entries(head.responses).map(([status, { content: _content, ...response }]) => [status, response]),
    );
  }
  return document;
}

interface Operation {
  requestBody?: object;
  responses: Record<string, { content?: object }>;
}
