import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BalsaError } from '../../contract/errors.ts';
import type { BackupService, KvService } from '../../replica/service.ts';
import { answerHeaders } from './answer-headers.ts';
import { closeSignal } from './close-signal.ts';
import { parameterSet } from './parameters.ts';
import { Query } from './query.ts';
import { type TimeoutBounds, timeoutOf } from './read-options.ts';
import { splitTarget } from './request-target.ts';
import { snapshotSchema, snapshotType } from './snapshot-schema.ts';

export interface SnapshotRoutesOptions extends TimeoutBounds {
  readonly kv: KvService;
  readonly backup: BackupService;
  /** A stream that has begun can only be cut off; this is where the reason goes. */
  readonly reportFailure: (error: BalsaError, request: { readonly method: string; readonly url: string }) => void;
}

const parameters = parameterSet('timeout');

/** A backup of the whole store: GET of `/v1/snapshot`. */
export async function snapshotRoutes(app: FastifyInstance, options: SnapshotRoutesOptions): Promise<void> {
  const { kv, backup, reportFailure } = options;

  async function snapshot(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const timeoutMs = timeoutOf(Query.parse(splitTarget(request.originalUrl).query, parameters), options);
    // Nothing is read for a HEAD: it would only be thrown away.
    if (request.method === 'HEAD') {
      const header = kv.header();
      return reply.headers(snapshotHeaders(answerHeaders(header, snapshotType), header.revision)).send();
    }
    const { header, revision, chunks } = await backup.backup({ timeoutMs, signal: closeSignal(reply.raw) });
    // One chunk waits here and one in the socket, however slowly the client reads.
    const body = Readable.from(chunks, { objectMode: true, highWaterMark: 1 });
    body.once('error', (reason) => {
      if (reply.raw.headersSent) {
        reportFailure(BalsaError.from(reason), { method: request.method, url: request.originalUrl });
      } else {
        // It becomes an answer like any other, which is no file.
        for (const name of ofFile) reply.removeHeader(name);
      }
    });
    return reply.headers(snapshotHeaders(answerHeaders(header, snapshotType), revision)).send(body);
  }

  app.get('/v1/snapshot', { schema: snapshotSchema(parameters) }, snapshot);
}

const ofFile = ['balsa-snapshot-revision', 'content-disposition'] as const;

function snapshotHeaders(headers: Record<string, string>, revision: number): Record<string, string> {
  headers['balsa-snapshot-revision'] = `${revision}`;
  headers['content-disposition'] = `attachment; filename="balsa-${revision}.backup"`;
  headers['cache-control'] = 'no-store';
  headers['x-content-type-options'] = 'nosniff';
  return headers;
}
