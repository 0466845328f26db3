import { EventEmitter } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

interface Change {
  readonly revision: number;
  readonly events: readonly object[];
}

/**
 * `GET /v1/watch` over a history that several endpoints share, as members of a cluster do. A test changes it, breaks
 * connections, and says what else a stream tells.
 */
export class WatchServer extends EventEmitter<{ opened: []; closed: [] }> {
  /** The queries of all watches, in the order in which they came. */
  readonly asked: URLSearchParams[] = [];
  readonly #history: Change[] = [];
  readonly #streams = new Set<ServerResponse>();
  #revision = 1;
  #compactRevision = 0;

  /** What an endpoint does. */
  readonly answer: RequestListener = (request, response) => this.#open(request, response);

  get revision(): number {
    return this.#revision;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** One revision. */
  put(...kvs: readonly (readonly [key: string, value: string])[]): void {
    this.#revision += 1;
    const revision = this.#revision;
    const events = kvs.map(([key, value]) => ({
      type: 'put',
      kv: { key, value, createRevision: revision, modRevision: revision, version: 1 },
    }));
    this.#history.push({ revision, events });
    this.tell({ type: 'change', revision, events });
  }

  /** A revision that no watch sees. */
  skip(): void {
    this.#revision += 1;
  }

  compact(revision: number): void {
    this.#compactRevision = revision;
  }

  /** A line on every stream. */
  tell(message: object): void {
    for (const stream of this.#streams) stream.write(`${JSON.stringify(message)}\n`);
  }

  /** Breaks every stream, in the middle of a line. */
  break(): void {
    for (const stream of this.#streams) {
      stream.write('{"type":"chan');
      stream.socket?.destroySoon();
    }
  }

  /** Ends every stream with a last line. */
  end(message: object): void {
    for (const stream of this.#streams) stream.end(`${JSON.stringify(message)}\n`);
  }

  #open(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url ?? '', 'http://host').searchParams;
    this.asked.push(query);
    const from = Number(query.get('revision') ?? this.#revision + 1);
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    if (from < this.#compactRevision) {
      response.end(`${JSON.stringify({ type: 'compacted', compactRevision: this.#compactRevision })}\n`);
      return;
    }
    response.write(`${JSON.stringify({ type: 'progress', revision: from - 1 })}\n`);
    for (const change of this.#history) {
      if (change.revision >= from) response.write(`${JSON.stringify({ type: 'change', ...change })}\n`);
    }
    this.#streams.add(response);
    response.on('close', () => {
      this.#streams.delete(response);
      this.emit('closed');
    });
    this.emit('opened');
  }
}
