import type { FastifyInstance } from 'fastify';
import { BalsaError } from '../../contract/errors.ts';
import { splitTarget } from './request-target.ts';

/** Answers requests that no route takes: 405 with `Allow` where the path exists with other methods, else 404. */
export function answerUnrouted(app: FastifyInstance): void {
  const methodsByPath = new Map<string, string[]>();
  const patterns: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsByPath.get(url) ?? [];
    methods.push(...[method].flat());
    if (url.includes(':') && !methodsByPath.has(url)) patterns.push({ pattern: patternOf(url), methods });
    methodsByPath.set(url, methods);
  });

  app.setNotFoundHandler((request, reply) => {
    const { path } = splitTarget(request.url);
    const methods = methodsByPath.get(path) ?? patterns.find(({ pattern }) => pattern.test(path))?.methods;
    if (methods === undefined) throw new BalsaError('not_found', notFoundText(path));
    const allow = [...new Set(methods)].sort().join(', ');
    reply.header('allow', allow);
    throw new BalsaError('method_not_allowed', `There is no ${request.method} here; there is ${allow}.`);
  });
}

/** `/v1/leases/:id` stands for every id. */
function patternOf(url: string): RegExp {
  return new RegExp(`^${url.replaceAll(/:[a-z]+/g, '[^/]+')}$`);
}

function notFoundText(path: string): string {
  const shown = path.length > 60 ? `${path.slice(0, 60)}…` : path;
  return `There is nothing at ${shown}. GET / shows where to look, /openapi.json has all.`;
}
