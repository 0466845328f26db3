import { BalsaError } from '../contract/errors.ts';
import { type KeyValue, limits, type RangeSort, type Revision } from '../contract/kv.ts';
import {
  type ClusterStatus,
  jsonOf,
  keyValueOf,
  type MemberStatus,
  revisionOfTag,
  type WireKeyValue,
} from './answers.ts';
import { Endpoints } from './exchange.ts';
import { bytesOf, type Key, keyPath, percentEncode } from './key-path.ts';

export interface ClientOptions {
  /** Base URLs of members; default `http://localhost:2379`. Any of them takes any request. */
  readonly endpoints?: string | readonly string[];
  /** Milliseconds for one request, all attempts together; default 5000. */
  readonly timeoutMs?: number;
}

export interface RequestOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What a read promises; a number of milliseconds is how old it may provably be. */
export type ReadConsistency = 'linearizable' | 'stale' | { readonly maxStalenessMs: number };

export interface ReadOptions extends RequestOptions {
  /** Default `linearizable`: nothing older than any write acknowledged before. */
  readonly consistency?: ReadConsistency;
}

export interface WriteOptions extends RequestOptions {
  /** The key must have exactly this mod revision, or exist (`'*'`); otherwise `precondition_failed`. */
  readonly ifMatch?: Revision | '*';
  /** The key must not exist; otherwise `precondition_failed`. */
  readonly ifAbsent?: boolean;
  /** Answer with what was replaced or deleted. */
  readonly previous?: boolean;
}

export interface PutResult {
  /** The mod revision, to be given as `ifMatch` of the next write. */
  readonly revision: Revision;
  readonly createRevision: Revision;
  readonly version: number;
  readonly created: boolean;
  readonly previous: KeyValue | undefined;
}

export interface DeleteResult {
  readonly deleted: number;
  readonly revision: Revision;
  readonly previous: KeyValue | undefined;
}

/** A prefix, or all keys from `start` up to, not including, `end`; without any of them, all keys. */
export interface RangeOptions extends ReadOptions {
  readonly prefix?: Key;
  readonly start?: Key;
  readonly end?: Key;
}

export interface ListOptions extends RangeOptions {
  /** Ends after so many keys. */
  readonly limit?: number;
  /** Values are empty. */
  readonly keysOnly?: boolean;
  readonly sort?: RangeSort;
  readonly order?: 'asc' | 'desc';
  /** Keys fetched at a time. */
  readonly pageSize?: number;
}

/**
 * A client for Balsa's REST API; needs nothing but `fetch`.
 *
 * ```ts
 * const balsa = connect({ endpoints: ['http://localhost:2379', 'http://localhost:22379'] });
 * const { revision } = await balsa.put('config/color', 'green');
 * await balsa.put('config/color', 'blue', { ifMatch: revision });
 * for await (const { key } of balsa.list({ prefix: 'config/' })) console.log(new TextDecoder().decode(key));
 * ```
 */
export function connect(options: ClientOptions = {}): BalsaClient {
  const given = [options.endpoints ?? 'http://localhost:2379'].flat();
  const urls = given.map((endpoint) => {
    const normal = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
    if (normal?.protocol === 'http:' || normal?.protocol === 'https:') return normal.origin;
    throw new BalsaError('bad_request', `The endpoint "${endpoint}" is not a URL; write it as http://localhost:2379.`, {
      extras: { parameter: 'endpoints' },
    });
  });
  if (urls.length === 0)
    throw new BalsaError('bad_request', 'At least one endpoint is needed.', { extras: { parameter: 'endpoints' } });
  return new BalsaClient(new Endpoints(urls), options.timeoutMs ?? 5000);
}

/**
 * Every method rejects with a `BalsaError`: test its `code`, and `kind.definite` to know whether a write that failed
 * certainly did not happen. A write is never sent twice unless the first attempt certainly had no effect.
 */
export class BalsaClient {
  readonly #endpoints: Endpoints;
  readonly #timeoutMs: number;

  /** Use `connect`. */
  constructor(endpoints: Endpoints, timeoutMs: number) {
    this.#endpoints = endpoints;
    this.#timeoutMs = timeoutMs;
  }

  /** The endpoints, in normal form. */
  get endpoints(): readonly string[] {
    return this.#endpoints.urls;
  }

  /**
   * Stores a value.
   *
   * ```ts
   * await balsa.put('lock', 'me', { ifAbsent: true }); // precondition_failed if somebody has it
   * ```
   */
  async put(key: Key, value: string | Uint8Array, options: WriteOptions = {}): Promise<PutResult> {
    const reply = await this.#endpoints.exchange({
      ...this.#limits(options),
      method: 'PUT',
      path: keyPath(key),
      query: previousQuery(options),
      headers: { 'content-type': 'application/octet-stream', ...conditionHeaders(options) },
      body: bytesOf(value),
    });
    const answer = jsonOf<{ revision: number; createRevision: number; version: number; prevKv?: WireKeyValue }>(reply);
    return {
      revision: answer.revision,
      createRevision: answer.createRevision,
      version: answer.version,
      created: reply.status === 201,
      previous: answer.prevKv && keyValueOf(answer.prevKv),
    };
  }

  /** The key's value and revisions; undefined if there is no such key. */
  async get(key: Key, options: ReadOptions = {}): Promise<KeyValue | undefined> {
    const reply = await this.#endpoints.exchange({
      ...this.#limits(options),
      method: 'GET',
      path: keyPath(key),
      query: consistencyQuery(options),
      expect: 'key_not_found',
    });
    if (reply.expected !== undefined) return undefined;
    return {
      key: bytesOf(key),
      value: reply.body,
      modRevision: revisionOfTag(reply.headers.get('etag')),
      createRevision: Number(reply.headers.get('balsa-create-revision')),
      version: Number(reply.headers.get('balsa-version')),
    };
  }

  /** Deletes a key; `deleted` is 0 if there was none. With a condition, `precondition_failed` instead. */
  async delete(key: Key, options: WriteOptions = {}): Promise<DeleteResult> {
    const reply = await this.#endpoints.exchange({
      ...this.#limits(options),
      method: 'DELETE',
      path: keyPath(key),
      query: previousQuery(options),
      headers: conditionHeaders(options),
      expect: 'key_not_found',
    });
    if (reply.expected !== undefined) {
      return { deleted: 0, revision: Number(reply.headers.get('balsa-revision')), previous: undefined };
    }
    return deleteResultOf(jsonOf(reply));
  }

  /** Deletes all keys with the prefix in one revision. An empty prefix is refused: `deleteRange({})` says it aloud. */
  async deletePrefix(prefix: Key, options: RequestOptions = {}): Promise<DeleteResult> {
    if (prefix.length === 0) {
      throw new BalsaError('bad_request', 'The prefix is empty, which would delete every key. Give one.', {
        extras: { parameter: 'prefix' },
      });
    }
    return this.#deleteRange({ prefix: percentEncode(bytesOf(prefix)) }, options);
  }

  /** Deletes the keys from `start` up to, not including, `end` in one revision; without either, every key. */
  async deleteRange(
    range: { readonly start?: Key; readonly end?: Key },
    options: RequestOptions = {},
  ): Promise<DeleteResult> {
    // No key is before the one zero byte, and the API wants a start that is not empty.
    const query = { start: percentEncode(bytesOf(range.start ?? Uint8Array.of(0))) };
    return this.#deleteRange(
      range.end === undefined ? query : { ...query, end: percentEncode(bytesOf(range.end)) },
      options,
    );
  }

  /**
   * The keys of a range, fetched page by page while they are taken; all of them as they were at one revision.
   *
   * ```ts
   * for await (const { key, value } of balsa.list({ prefix: 'jobs/', limit: 10 })) …
   * ```
   */
  async *list(options: ListOptions = {}): AsyncGenerator<KeyValue, void, undefined> {
    let wanted = options.limit ?? Number.POSITIVE_INFINITY;
    let endpoint: string | undefined;
    let after: string | undefined;
    while (wanted > 0) {
      const pageLimit = Math.min(
        wanted,
        isOnePage(options) ? onePageLimit : (options.pageSize ?? limits.rangeLimitDefault),
      );
      const reply = await this.#endpoints.exchange({
        ...this.#limits(options),
        method: 'GET',
        path: '/v1/kv',
        query: {
          ...(after === undefined
            ? { ...rangeQuery(options), ...shapeQuery(options) }
            : { after: encodeURIComponent(after) }),
          limit: String(pageLimit),
        },
        // The member that began the list keeps the view that its pages are of.
        endpoint,
      });
      const page = jsonOf<ListPage>(reply);
      for (const wire of page.kvs) yield keyValueOf(wire);
      wanted -= page.kvs.length;
      if (page.more && !page.next && wanted > 0) {
        throw new BalsaError(
          'too_large',
          `A list sorted by ${options.sort} ends after ${page.kvs.length} of ${page.count} keys; give a limit, or a narrower range.`,
        );
      }
      if (!page.next) return;
      endpoint = reply.endpoint;
      after = page.next;
    }
  }

  /** The number of keys in a range. */
  async count(options: RangeOptions = {}): Promise<{ readonly count: number; readonly revision: Revision }> {
    const reply = await this.#endpoints.exchange({
      ...this.#limits(options),
      method: 'GET',
      path: '/v1/kv',
      query: { ...rangeQuery(options), countOnly: 'true' },
    });
    return jsonOf(reply);
  }

  /** What one member says of itself; of the first endpoint that answers, unless one is named. */
  async status(options: RequestOptions & { readonly endpoint?: string } = {}): Promise<MemberStatus> {
    const reply = await this.#endpoints.exchange({
      ...this.#limits(options),
      method: 'GET',
      path: '/v1/status',
      endpoint: options.endpoint,
    });
    return jsonOf(reply);
  }

  /** All members, as the leader knows them. */
  async cluster(options: RequestOptions = {}): Promise<ClusterStatus> {
    const reply = await this.#endpoints.exchange({ ...this.#limits(options), method: 'GET', path: '/v1/cluster' });
    return jsonOf(reply);
  }

  async #deleteRange(query: Record<string, string>, options: RequestOptions): Promise<DeleteResult> {
    return deleteResultOf(
      jsonOf(await this.#endpoints.exchange({ ...this.#limits(options), method: 'DELETE', path: '/v1/kv', query })),
    );
  }

  #limits(options: RequestOptions): { readonly timeoutMs: number; readonly signal: AbortSignal | undefined } {
    return { timeoutMs: options.timeoutMs ?? this.#timeoutMs, signal: options.signal };
  }
}

function conditionHeaders(options: WriteOptions): Record<string, string> {
  if (options.ifAbsent === true) return { 'if-none-match': '*' };
  if (options.ifMatch === undefined) return {};
  return { 'if-match': options.ifMatch === '*' ? '*' : `"${options.ifMatch}"` };
}

function previousQuery(options: WriteOptions): Record<string, string> {
  return options.previous === true ? { prevKv: 'true', encoding: 'base64' } : {};
}

function consistencyQuery({ consistency = 'linearizable' }: ReadOptions): Record<string, string> {
  if (typeof consistency === 'string') return consistency === 'linearizable' ? {} : { consistency };
  return { consistency: 'bounded', maxStaleness: `${consistency.maxStalenessMs}ms` };
}

function rangeQuery(options: RangeOptions): Record<string, string> {
  const query: Record<string, string> = consistencyQuery(options);
  for (const bound of ['prefix', 'start', 'end'] as const) {
    const key = options[bound];
    if (key !== undefined) query[bound] = percentEncode(bytesOf(key));
  }
  // Every range has to be named; the empty prefix is that of all keys.
  if (options.prefix === undefined && options.start === undefined && options.end === undefined) query['prefix'] = '';
  return query;
}

/** Sorted by anything but the key, there is one page only, of at most so many keys. */
const onePageLimit = 10_000;

function isOnePage(options: ListOptions): boolean {
  return options.sort !== undefined && options.sort !== 'key';
}

interface ListPage {
  readonly kvs: readonly WireKeyValue[];
  readonly count: number;
  readonly more: boolean;
  readonly next?: string;
}

/** For the first page; `next` carries it to the others. */
function shapeQuery(options: ListOptions): Record<string, string> {
  return {
    encoding: 'base64',
    ...(options.keysOnly === true && { keysOnly: 'true' }),
    ...(options.sort !== undefined && { sort: options.sort }),
    ...(options.order !== undefined && { order: options.order }),
  };
}

function deleteResultOf(answer: { deleted: number; revision: number; prevKv?: WireKeyValue }): DeleteResult {
  return { deleted: answer.deleted, revision: answer.revision, previous: answer.prevKv && keyValueOf(answer.prevKv) };
}
