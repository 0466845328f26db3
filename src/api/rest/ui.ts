import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BalsaError } from '../../contract/errors.ts';
import type { KvService } from '../../replica/service.ts';
import { answerHeaders } from './answer-headers.ts';
import { readPage } from './page-files.ts';
import { splitTarget } from './request-target.ts';

export interface UiRoutesOptions {
  readonly kv: KvService;
  readonly directory: URL;
}

/**
 * The page loads nothing from elsewhere, talks to nobody else, runs no script that is written into a document, makes no
 * markup from text, and is shown in nobody's frame.
 */
const securityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** The page at `/ui`. It is the same on every member, and uses the rest of this API only. */
export async function uiRoutes(app: FastifyInstance, { kv, directory }: UiRoutesOptions): Promise<void> {
  let files: ReturnType<typeof readPage> | undefined;

  async function show(request: FastifyRequest, reply: FastifyReply): Promise<Buffer | string> {
    files ??= readPage(directory);
    const name = splitTarget(request.originalUrl).path.slice('/ui/'.length) || 'index.html';
    const file = (await files).get(name);
    if (file === undefined) throw new BalsaError('not_found', notFoundText(name));
    const headers = answerHeaders(kv.header(), file.type);
    headers['etag'] = file.entityTag;
    // Asked again each time: after an upgrade no part of the page before it may stay.
    headers['cache-control'] = 'no-cache';
    headers['x-content-type-options'] = 'nosniff';
    headers['content-security-policy'] = securityPolicy;
    headers['referrer-policy'] = 'no-referrer';
    headers['cross-origin-opener-policy'] = 'same-origin';
    reply.headers(headers);
    if (request.headers['if-none-match'] !== file.entityTag) return file.bytes;
    reply.code(304);
    return '';
  }

  async function redirect(_request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const headers = answerHeaders(kv.header(), 'text/plain');
    // Relative: a proxy may have put this member below another path.
    headers['location'] = 'ui/';
    reply.code(308).headers(headers);
    return '';
  }

  app.get('/ui', { schema: { hide: true } }, redirect);
  app.get('/ui/*', { schema: { hide: true } }, show);
}

function notFoundText(name: string): string {
  if (name === 'index.html') return 'The page is not in this installation. `npm run build` makes it from the sources.';
  return `The page has no file ${JSON.stringify(name)}; it begins at /ui/.`;
}
