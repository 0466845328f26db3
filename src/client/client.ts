import { BalsaError } from '../contract/errors.ts';
import { type KeyValue, limits, type Revision } from '../contract/kv.ts';
import {
  type ClusterStatus,
  type ClusterVersions,
  jsonOf,
  keyValueOf,
  leaseMember,
  type MemberStatus,
  revisionOfTag,
  type WireKeyValue,
} from './answers.ts';
import { Endpoints } from './exchange.ts';
import { bytesOf, type Key, keyPath, percentEncode } from './key-path.ts';
import { Leases } from './leases.ts';
import { Members } from './members.ts';
import type {
  DeleteResult,
  IdempotentOptions,
  ListOptions,
  PutOptions,
  PutResult,
  RangeOptions,
  ReadOptions,
  RequestOptions,
  WriteOptions,
} from './options.ts';
import {
  boundsQuery,
  conditionHeaders,
  idempotency,
  leaseQuery,
  previousQuery,
  type QueryParameters,
  readQuery,
  shapeQuery,
} from './queries.ts';
import { type Exchange, limitsOf } from './request.ts';
import { openSnapshot, type Snapshot, type SnapshotOptions } from './snapshot.ts';
import { onlyReads, type Txn, type TxnOutcome } from './txn.ts';
import { txnJson, txnOutcomeOf } from './txn-json.ts';
import { Watch, type WatchOptions } from './watch.ts';

export interface ClientOptions {
  /** Base URLs of members; default `http://localhost:2379`. Any of them takes any request. */
  readonly endpoints?: string | readonly string[];
  /** Milliseconds for one request, all attempts together; default 5000. */
  readonly timeoutMs?: number;
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
  return new BalsaClient(new Endpoints(urls, options.timeoutMs ?? 5000));
}

/**
 * Every method rejects with a `BalsaError`: test its `code`, and `kind.definite` to know whether a write that failed
 * certainly did not happen. A write is never sent twice unless the first attempt certainly had no effect, or it has an
 * idempotency key.
 */
export class BalsaClient {
  /** Grant, renew, look at and revoke leases. */
  readonly leases: Leases;
  /** Add, promote, remove members, and move leadership between them. */
  readonly members: Members;
  readonly #endpoints: Endpoints;

  /** Use `connect`. */
  constructor(endpoints: Endpoints) {
    this.#endpoints = endpoints;
    this.leases = new Leases(endpoints);
    this.members = new Members(endpoints);
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
   * await balsa.put('service/1', 'here', { lease: id }); // deleted when the lease ends
   * await balsa.put('job', 'done', { idempotencyKey: crypto.randomUUID() }); // sent again until it is known
   * ```
   */
  async put(key: Key, value: string | Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    const { repetition, idempotencyHeaders } = idempotency(options);
    const reply = await this.#endpoints.exchange({
      ...limitsOf(options),
      method: 'PUT',
      path: keyPath(key),
      repetition,
      query: { ...previousQuery(options), ...leaseQuery(options) },
      headers: { 'content-type': 'application/octet-stream', ...conditionHeaders(options), ...idempotencyHeaders },
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

  /** The key's value and revisions; undefined if there is, or at that revision was, no such key. */
  async get(key: Key, options: ReadOptions = {}): Promise<KeyValue | undefined> {
    const reply = await this.#endpoints.exchange({
      ...limitsOf(options),
      method: 'GET',
      path: keyPath(key),
      repetition: 'harmless',
      query: readQuery(options),
      expect: 'key_not_found',
    });
    if (reply.expected !== undefined) return undefined;
    return {
      key: bytesOf(key),
      value: reply.body,
      modRevision: revisionOfTag(reply.headers.get('etag')),
      createRevision: Number(reply.headers.get('balsa-create-revision')),
      version: Number(reply.headers.get('balsa-version')),
      ...leaseMember(reply.headers.get('balsa-lease')),
    };
  }

  /** Deletes a key; `deleted` is 0 if there was none. With a condition, `precondition_failed` instead. */
  async delete(key: Key, options: WriteOptions = {}): Promise<DeleteResult> {
    const { repetition, idempotencyHeaders } = idempotency(options);
    const reply = await this.#endpoints.exchange({
      ...limitsOf(options),
      method: 'DELETE',
      path: keyPath(key),
      repetition,
      query: previousQuery(options),
      headers: { ...conditionHeaders(options), ...idempotencyHeaders },
      expect: 'key_not_found',
    });
    if (reply.expected !== undefined) {
      return { deleted: 0, revision: Number(reply.headers.get('balsa-revision')), previous: undefined };
    }
    return deleteResultOf(jsonOf(reply));
  }

  /** Deletes all keys with the prefix in one revision. An empty prefix is refused: `deleteRange({})` says it aloud. */
  async deletePrefix(prefix: Key, options: IdempotentOptions = {}): Promise<DeleteResult> {
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
    options: IdempotentOptions = {},
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
    let after: string | undefined;
    while (wanted > 0) {
      const pageLimit = Math.min(
        wanted,
        isOnePage(options) ? onePageLimit : (options.pageSize ?? limits.rangeLimitDefault),
      );
      const first = { ...readQuery(options), ...boundsQuery(options), ...shapeQuery(options) };
      const reply = await this.#endpoints.exchange({
        ...limitsOf(options),
        method: 'GET',
        path: '/v1/kv',
        repetition: 'harmless',
        query: {
          ...(after === undefined ? first : { after: encodeURIComponent(after) }),
          limit: String(pageLimit),
        },
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
      after = page.next;
    }
  }

  /** The number of keys in a range. */
  async count(options: RangeOptions = {}): Promise<{ readonly count: number; readonly revision: Revision }> {
    const reply = await this.#endpoints.exchange({
      ...limitsOf(options),
      method: 'GET',
      path: '/v1/kv',
      repetition: 'harmless',
      query: { ...readQuery(options), ...boundsQuery(options), countOnly: 'true' },
    });
    const { count, revision } = jsonOf<{ count: number; revision: number }>(reply);
    return { count, revision };
  }

  /**
   * Does all operations of one branch in one revision, or none.
   *
   * ```ts
   * const { succeeded } = await balsa.txn({
   *   compare: [{ key: 'lock', exists: false }],
   *   success: [{ put: { key: 'lock', value: 'me' } }],
   *   failure: [{ get: { key: 'lock' } }],
   * });
   * ```
   */
  async txn(txn: Txn, options: IdempotentOptions = {}): Promise<TxnOutcome> {
    const { repetition, idempotencyHeaders } = idempotency(options);
    return this.#txn(JSON.stringify(txnJson(txn)), {
      ...limitsOf(options),
      repetition: onlyReads(txn) ? 'harmless' : repetition,
      headers: idempotencyHeaders,
    });
  }

  /** A transaction that is written as the REST API takes it, which checks it. */
  async txnOfJson(json: string, options: IdempotentOptions = {}): Promise<TxnOutcome> {
    const { repetition, idempotencyHeaders } = idempotency(options);
    return this.#txn(json, { ...limitsOf(options), repetition, headers: idempotencyHeaders });
  }

  /**
   * The changes of a key, a prefix or a range: a batch for each revision, in order, without a gap or a duplicate. A
   * connection that breaks is made again, to any endpoint. What is not taken is not read, so that a slow reader needs no
   * memory. It begins with the first `next`; to miss nothing after a list, watch from the revision after that of the list.
   *
   * ```ts
   * for await (const { revision, events } of balsa.watch({ prefix: 'config/', revision: 17 })) …
   * ```
   *
   * It ends when it is left (`break`), closed (`return`) or aborted (`signal`), and with an error if no endpoint takes
   * it at first, or with `compacted` if what it has to tell is no longer kept.
   */
  watch(options: WatchOptions = {}): Watch {
    return new Watch(this.#endpoints, options);
  }

  /** Forgets what was before `revision`, on all members. Rejects with `compacted` or `future_revision`. */
  async compact(revision: Revision, options: IdempotentOptions = {}): Promise<{ readonly revision: Revision }> {
    const { repetition, idempotencyHeaders } = idempotency(options);
    const reply = await this.#endpoints.exchange({
      ...limitsOf(options),
      method: 'POST',
      path: '/v1/compact',
      repetition,
      headers: { 'content-type': 'application/json', ...idempotencyHeaders },
      body: bytesOf(JSON.stringify({ revision })),
    });
    return { revision: jsonOf<{ revision: number }>(reply).revision };
  }

  /**
   * A backup of the whole store, as one member has it: a file that `balsa snapshot verify` and `restore` read.
   *
   * ```ts
   * const { revision, chunks } = await balsa.snapshot();
   * await pipeline(chunks, createWriteStream('balsa.backup'));
   * ```
   *
   * What was written is whole only if the chunks end without an error.
   */
  snapshot(options: SnapshotOptions = {}): Promise<Snapshot> {
    return openSnapshot(this.#endpoints, options);
  }

  /** What one member says of itself; of the first endpoint that answers, unless one is named. */
  async status(options: RequestOptions & { readonly endpoint?: string } = {}): Promise<MemberStatus> {
    const reply = await this.#endpoints.exchange({
      ...limitsOf(options),
      method: 'GET',
      path: '/v1/status',
      repetition: 'harmless',
      endpoint: options.endpoint,
    });
    return jsonOf(reply);
  }

  /** All members, as the leader knows them. */
  async cluster(options: RequestOptions = {}): Promise<ClusterStatus> {
    const reply = await this.#endpoints.exchange({
      ...limitsOf(options),
      method: 'GET',
      path: '/v1/cluster',
      repetition: 'harmless',
    });
    return jsonOf(reply);
  }

  /** What software the members run, and what they agreed on. */
  async versions(options: RequestOptions = {}): Promise<ClusterVersions> {
    const reply = await this.#endpoints.exchange({
      ...limitsOf(options),
      method: 'GET',
      path: '/v1/version',
      repetition: 'harmless',
    });
    return jsonOf(reply);
  }

  async #deleteRange(query: QueryParameters, options: IdempotentOptions): Promise<DeleteResult> {
    const { repetition, idempotencyHeaders } = idempotency(options);
    const reply = await this.#endpoints.exchange({
      ...limitsOf(options),
      method: 'DELETE',
      path: '/v1/kv',
      repetition,
      query,
      headers: idempotencyHeaders,
    });
    return deleteResultOf(jsonOf(reply));
  }

  async #txn(json: string, how: Omit<Exchange, 'method' | 'path' | 'body'>): Promise<TxnOutcome> {
    const reply = await this.#endpoints.exchange({
      ...how,
      method: 'POST',
      path: '/v1/txn',
      headers: { 'content-type': 'application/json', ...how.headers },
      body: bytesOf(json),
    });
    return txnOutcomeOf(jsonOf(reply));
  }
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

function deleteResultOf(answer: { deleted: number; revision: number; prevKv?: WireKeyValue }): DeleteResult {
  return { deleted: answer.deleted, revision: answer.revision, previous: answer.prevKv && keyValueOf(answer.prevKv) };
}
