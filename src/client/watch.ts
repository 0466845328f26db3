import { BalsaError } from '../contract/errors.ts';
import type { Revision } from '../contract/kv.ts';
import { Backoff, pause } from './backoff.ts';
import type { Endpoints, OpenStream } from './exchange.ts';
import { isTransient } from './failures.ts';
import { bytesOf, type Key, percentEncode } from './key-path.ts';
import { linesOf } from './ndjson.ts';
import type { KeyBounds, RequestOptions } from './options.ts';
import { boundsQuery, type QueryParameters } from './queries.ts';
import { type WatchBatch, watchMessageOf } from './watch-message.ts';

/** One key, a prefix, or a range; without any of them, all keys. `timeoutMs` is for each attempt to begin. */
export interface WatchOptions extends RequestOptions, KeyBounds {
  readonly key?: Key;
  /** The first revision that is wanted, also a past one; without it, what comes after the watch has begun. */
  readonly revision?: Revision;
  /** Events carry the key-value from before. */
  readonly previous?: boolean;
  /** Events of this kind are left out. */
  readonly filter?: 'put' | 'delete';
  /** How often the server says that it is still there, in milliseconds; default 10,000. */
  readonly progressMs?: number;
  /** Everything up to this revision has been told. Called while batches are being waited for. */
  readonly onProgress?: (revision: Revision) => void;
  /** The connection was lost; the watch resumes by itself. */
  readonly onInterrupted?: (reason: BalsaError) => void;
}

/** How many times the server may be silent when it should have said that it is there. */
const silencesMax = 3;

/** More than a transaction can write; deletions of a range can be longer, and are refused in place of filling memory. */
const lineBytesMax = 256 * 1024 * 1024;

/**
 * Changes, a batch for each revision, in order, without a gap or a duplicate; see `BalsaClient.watch`.
 *
 * It is in one of two states. Until the server has told its first line, it *begins*: a failure of every endpoint ends
 * it. After that it *resumes*, whatever breaks, from the revision after the last one that was told of, on the next
 * endpoint that answers; only an error that no endpoint can mend, such as `compacted`, ends it.
 */
export class Watch implements AsyncIterableIterator<WatchBatch, undefined>, AsyncDisposable {
  readonly #endpoints: Endpoints;
  readonly #options: WatchOptions;
  readonly #closing = new AbortController();
  readonly #batches: AsyncGenerator<WatchBatch, undefined>;
  /** The revision to ask for next; undefined: what comes after now. Never goes back. */
  #next: Revision | undefined;
  #hasBegun = false;

  /** Use `BalsaClient.watch`. */
  constructor(endpoints: Endpoints, options: WatchOptions) {
    this.#endpoints = endpoints;
    this.#options = options;
    this.#next = options.revision;
    this.#batches = this.#run();
  }

  /** The first revision that has not been told of; undefined before a watch without `revision` has begun. */
  get nextRevision(): Revision | undefined {
    return this.#next;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<WatchBatch, undefined>> {
    return this.#batches.next();
  }

  /** Ends the watch, also while `next` waits. Idempotent. */
  return(): Promise<IteratorResult<WatchBatch, undefined>> {
    this.#closing.abort();
    return this.#batches.return(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async *#run(): AsyncGenerator<WatchBatch, undefined> {
    const { signal } = this.#options;
    const close = (): void => this.#closing.abort();
    if (signal?.aborted) close();
    signal?.addEventListener('abort', close, { once: true });
    try {
      yield* this.#resumeUntilClosed();
    } finally {
      signal?.removeEventListener('abort', close);
    }
  }

  async *#resumeUntilClosed(): AsyncGenerator<WatchBatch, undefined> {
    const backoff = new Backoff({ firstMs: 100, longestMs: 5000 });
    let broken: string | undefined;
    while (!this.#closing.signal.aborted) {
      const before = this.#next;
      try {
        const stream = await this.#endpoints.open(this.#request(), broken);
        broken = stream.endpoint;
        yield* this.#batchesOf(stream);
      } catch (reason) {
        if (this.#closing.signal.aborted) return;
        if (!(reason instanceof BalsaError) || !this.#hasBegun || !isTransient(reason)) throw reason;
        this.#options.onInterrupted?.(reason);
      }
      // A server that accepts watches and breaks them at once must not be asked without a pause.
      if (this.#next !== before) backoff.reset();
      await pause(backoff.next(), this.#closing.signal);
    }
  }

  /** @throws BalsaError what ended the stream; it has no other end. */
  async *#batchesOf(stream: OpenStream): AsyncGenerator<WatchBatch, void> {
    const silenceMs = silencesMax * this.#progressMs;
    const close = (): void => stream.close();
    this.#closing.signal.addEventListener('abort', close, { once: true });
    try {
      for await (const line of linesOf(stream, { silenceMs, lineBytesMax })) {
        const message = watchMessageOf(line, stream.endpoint);
        this.#hasBegun = true;
        if (message.kind === 'progress') this.#progress(message.revision);
        if (message.kind !== 'change' || this.#isTold(message.batch.revision)) continue;
        this.#next = message.batch.revision + 1;
        yield message.batch;
      }
      throw new BalsaError('unavailable', `${stream.endpoint} ended the watch.`);
    } finally {
      this.#closing.signal.removeEventListener('abort', close);
      stream.close();
    }
  }

  #progress(revision: Revision): void {
    this.#next = Math.max(this.#next ?? 0, revision + 1);
    this.#options.onProgress?.(revision);
  }

  #isTold(revision: Revision): boolean {
    return this.#next !== undefined && revision < this.#next;
  }

  get #progressMs(): number {
    return this.#options.progressMs ?? 10_000;
  }

  #request(): Parameters<Endpoints['open']>[0] {
    return {
      method: 'GET',
      path: '/v1/watch',
      repetition: 'harmless',
      query: this.#query(),
      headers: { accept: 'application/x-ndjson' },
      timeoutMs: this.#options.timeoutMs,
      signal: this.#closing.signal,
    };
  }

  #query(): QueryParameters {
    const { key, previous, filter } = this.#options;
    return {
      ...(key === undefined ? boundsQuery(this.#options) : { key: percentEncode(bytesOf(key)) }),
      ...(this.#next !== undefined && { revision: String(this.#next) }),
      ...(previous === true && { prevKv: 'true' }),
      ...(filter !== undefined && { filter }),
      progress: `${this.#progressMs}ms`,
    };
  }
}
