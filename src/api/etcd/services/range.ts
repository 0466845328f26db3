import type { RangeRequest as Asked, KeyValue, RangeSort, RevisionBounds } from '../../../contract/kv.ts';
import type { ReadOptions } from '../../../replica/service.ts';
import type { EtcdOptions, Headers } from '../etcd-options.ts';
import type { Call } from '../method.ts';
import type { Init } from '../proto/message-type.ts';
import { type RangeRequest, type RangeResponse, sortOrders, sortTargets } from '../proto/messages/kv.ts';
import { EtcdError, etcdErrors } from '../status.ts';
import { clamped, rangeOf, revisionOf } from './key-ranges.ts';

/** Of keys and values in one answer; etcd has no bound. What is larger has to be read with a limit, or as a stream. */
const answerBytesMax = 64 * 1024 * 1024;
/** …and of all large answers that are being made at the same time. */
const answersBytesMax = 4 * answerBytesMax;
/** An answer of that size is made without asking whether there is room. */
const smallAnswerBytesMax = 1024 * 1024;

/** `KV.Range`. */
export class Ranges {
  readonly #options: EtcdOptions;
  readonly #headers: Headers;
  #reservedBytes = 0;

  constructor(options: EtcdOptions, headers: Headers) {
    this.#options = options;
    this.#headers = headers;
  }

  async range(request: RangeRequest, call: Call): Promise<Init<RangeResponse>> {
    checkRange(request);
    const options = readOptions(request, call);
    if (isOneKey(request)) return this.#one(request, options);
    // Nobody knows beforehand how much a range holds, and clients seldom give a limit.
    return (await this.#many(request, options, smallAnswerBytesMax)) ?? (await this.#large(request, options));
  }

  async #large(request: RangeRequest, options: ReadOptions): Promise<Init<RangeResponse>> {
    if (this.#reservedBytes + answerBytesMax > answersBytesMax) throw etcdErrors.tooManyRequests();
    this.#reservedBytes += answerBytesMax;
    try {
      const response = await this.#many(request, options, answerBytesMax);
      if (response === undefined) throw tooMuch();
      return response;
    } finally {
      this.#reservedBytes -= answerBytesMax;
    }
  }

  async #one(request: RangeRequest, options: ReadOptions): Promise<Init<RangeResponse>> {
    const { kv } = this.#options;
    const answer = await kv.get(request.key, { ...options, revision: revisionOf(request.revision) });
    const header = this.#headers.of(answer.header);
    if (answer.kv === undefined) return { header };
    if (request.countOnly) return { header, count: 1 };
    return { header, kvs: [request.keysOnly ? withoutValue(answer.kv) : answer.kv], count: 1 };
  }

  /** Undefined if the answer would be larger. */
  async #many(request: RangeRequest, options: ReadOptions, bytesMax: number): Promise<Init<RangeResponse> | undefined> {
    const asked = rangeRequest(request);
    const { header, kvs, count, more } = await this.#options.kv.range(asked, { ...options, bytesMax, wholeOnly: true });
    if (more && (asked.limit === 0 || kvs.length < asked.limit)) return undefined;
    return { header: this.#headers.of(header), kvs, more, count };
  }
}

/** As etcd's `checkRangeRequest`. */
export function checkRange({ key, sortOrder, sortTarget }: RangeRequest): void {
  if (key.length === 0) throw etcdErrors.emptyKey();
  if (sortOrders[sortOrder] === undefined || sortTargets[sortTarget] === undefined)
    throw etcdErrors.invalidSortOption();
}

/** What the service calls it. */
export function rangeRequest(request: RangeRequest): Asked {
  const sort = sorts[request.sortTarget] ?? 'key';
  const revision = revisionOf(request.revision);
  const bounds = boundsOf(request);
  return {
    range: rangeOf(request),
    limit: request.limit <= 0n ? 0 : clamped(request.limit),
    keysOnly: request.keysOnly,
    countOnly: request.countOnly,
    sort,
    order: sortOrders[request.sortOrder] === 'DESCEND' ? 'desc' : 'asc',
    ...(revision === undefined ? {} : { revision }),
    ...(bounds === undefined ? {} : { bounds }),
  };
}

export function readOptions(request: RangeRequest, { timeoutMs }: Call): ReadOptions {
  return { timeoutMs, consistency: { level: request.serializable ? 'stale' : 'linearizable' } };
}

function isOneKey(request: RangeRequest): boolean {
  return request.rangeEnd.length === 0 && boundsOf(request) === undefined;
}

function boundsOf(request: RangeRequest): RevisionBounds | undefined {
  const bounds: { -readonly [Name in keyof RevisionBounds]: number } = {};
  for (const name of boundNames) if (request[name] !== 0n) bounds[name] = Math.max(1, clamped(request[name]));
  return Object.keys(bounds).length === 0 ? undefined : bounds;
}

function withoutValue(kv: KeyValue): KeyValue {
  return { ...kv, value: noValue };
}

function tooMuch(): EtcdError {
  return new EtcdError(
    'RESOURCE_EXHAUSTED',
    `etcdserver: the answer is larger than ${answerBytesMax} bytes; use a limit, or RangeStream`,
  );
}

const sorts: readonly RangeSort[] = ['key', 'version', 'createRevision', 'modRevision', 'value'];
const boundNames = ['minModRevision', 'maxModRevision', 'minCreateRevision', 'maxCreateRevision'] as const;
const noValue = new Uint8Array();
