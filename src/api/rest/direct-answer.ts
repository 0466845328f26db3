import type { FastifyReply } from 'fastify';

/**
 * Sends an answer past Fastify's own sending, which looks for hooks and serializers that these routes do not have: a tenth
 * of what a request costs. `headers` may not be changed any more.
 */
export function answerDirectly(
  reply: FastifyReply,
  status: number,
  headers: Record<string, string>,
  body: string | Uint8Array,
): void {
  headers['content-length'] = `${typeof body === 'string' ? Buffer.byteLength(body) : body.length}`;
  reply.hijack();
  reply.raw.writeHead(status, headers);
  reply.raw.end(body);
}
