import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BalsaError } from '../../contract/errors.ts';
import { keyRange } from '../../contract/key-range.ts';
import type { AnswerHeader, KeyRange, Revision } from '../../contract/kv.ts';
import type { WatchRequest } from '../../contract/watch.ts';
import type { KvService, WatchService } from '../../replica/service.ts';
import { answerHeaders } from './answer-headers.ts';
import { closeSignal } from './close-signal.ts';
import { rangeOf } from './key-range-parameters.ts';
import { preferredType } from './media-type.ts';
import { parameterSet } from './parameters.ts';
import { Query, refused } from './query.ts';
import { type TimeoutBounds, timeoutOf } from './read-options.ts';
import { splitTarget } from './request-target.ts';
import { watchFormats } from './watch-format.ts';
import { watchSchema } from './watch-schema.ts';
import { WatchStream } from './watch-stream.ts';

export interface WatchRoutesOptions extends TimeoutBounds {
  readonly kv: KvService;
  readonly watch: WatchService;
  /** After so long without a byte a connection is ended; a watch has to say something before. */
  readonly idleTimeoutMs: number;
}

const parameters = parameterSet(
  'key',
  'prefix',
  'start',
  'end',
  'revision',
  'prevKv',
  'filter',
  'progress',
  'encoding',
  'timeout',
);

const progressMs = { minimum: 100, usual: 10_000, maximum: 60_000 } as const;

/** Changes as they happen: GET of `/v1/watch`. */
export async function watchRoutes(app: FastifyInstance, options: WatchRoutesOptions): Promise<void> {
  const { kv, watch: service, idleTimeoutMs } = options;
  const streams = new Set<WatchStream>();
  let isClosing = false;

  async function watch(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const query = Query.parse(splitTarget(request.originalUrl).query, parameters);
    const timeoutMs = timeoutOf(query, options);
    const interval = { progressMs: Math.min(progressOf(query), idleTimeoutMs / 3) };
    const asked = watchRequest(query, request.headers['last-event-id']);
    const type = preferredType(request.headers.accept, 'text/event-stream', 'application/x-ndjson');
    // A HEAD learns what a GET would begin with; there is nothing to watch for it.
    if (request.method === 'HEAD') return reply.headers(streamHeaders(kv.header(), type)).send();

    const response = reply.raw;
    const stream = new WatchStream(response, watchFormats[type][query.choice('encoding') ?? 'auto'], interval);
    const opened = await service.watch(asked, stream, { timeoutMs, signal: closeSignal(response) });
    if (isClosing) {
      opened.close();
      throw stopping();
    }
    reply.hijack();
    streams.add(stream);
    response.once('close', () => streams.delete(stream));
    const after = asked.revision === undefined ? opened.header.revision : asked.revision - 1;
    stream.open(opened, streamHeaders(opened.header, type), after);
    return reply;
  }

  // Else the watches would hold up the end of a member that stops; their clients go on at another one.
  app.addHook('preClose', async () => {
    isClosing = true;
    for (const stream of streams) stream.end(stopping());
  });

  app.get('/v1/watch', { schema: watchSchema(parameters) }, watch);
}

function watchRequest(query: Query, lastEventId: string | string[] | undefined): WatchRequest {
  const revision = query.count('revision');
  return {
    range: watchedRange(query),
    // A browser that connects again sends the URL of the first time, and where it was in this header.
    revision: lastEventId === undefined ? revision : revisionAfter(lastEventId),
    previous: query.flag('prevKv'),
    filter: query.choice('filter'),
  };
}

/** What is watched has to be named: all keys are much, and seldom meant by a parameter that was forgotten. */
function watchedRange(query: Query): KeyRange {
  const key = query.bytes('key');
  if (key === undefined) {
    if (query.given(['prefix', 'start', 'end']).length > 0) return rangeOf(query);
    throw refused('prefix', 'is missing, and key and start as well; send one of them. `prefix=` is all keys');
  }
  const [another] = query.given(['prefix', 'start', 'end']);
  if (another !== undefined) throw refused('key', `and ${another} exclude each other; send one of them`);
  if (key.length === 0) throw refused('key', 'is empty; `prefix=` is all keys');
  return keyRange(key);
}

function revisionAfter(lastEventId: string | string[]): Revision {
  const revision = /^[0-9]{1,16}$/.test(`${lastEventId}`) ? Number(lastEventId) : Number.NaN;
  if (revision < Number.MAX_SAFE_INTEGER) return revision + 1;
  throw new BalsaError('bad_request', 'Last-Event-ID must be a revision, the `id` of an event of a watch.', {
    extras: { parameter: 'Last-Event-ID' },
  });
}

function progressOf(query: Query): number {
  const interval = query.duration('progress') ?? progressMs.usual;
  if (interval >= progressMs.minimum && interval <= progressMs.maximum) return interval;
  throw refused('progress', `must be from ${progressMs.minimum}ms to ${progressMs.maximum}ms`);
}

function streamHeaders(header: AnswerHeader, type: string): Record<string, string> {
  const headers = answerHeaders(header, type);
  headers['vary'] = 'accept';
  headers['cache-control'] = 'no-store';
  headers['x-content-type-options'] = 'nosniff';
  // nginx would collect events until its buffer is full.
  headers['x-accel-buffering'] = 'no';
  return headers;
}

function stopping(): BalsaError {
  return new BalsaError('unavailable', 'This member stops. Watch on at another one, from the revision after the last.');
}
