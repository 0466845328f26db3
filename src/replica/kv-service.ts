import { BalsaError } from '../contract/errors.ts';
import type {
  AnswerHeader,
  Consistency,
  DeleteAnswer,
  DeleteRangeRequest,
  DeleteRequest,
  GetAnswer,
  KeyRange,
  KeyValue,
  PutAnswer,
  PutRequest,
  RangeRequest,
} from '../contract/kv.ts';
import { limits } from '../contract/kv.ts';
import { type CommandResult, encodeCommand, type ReadView } from '../mvcc/index.ts';
import type { Term } from '../raft/index.ts';
import { PinnedViews } from './pinned-views.ts';
import type { Replica } from './replica.ts';
import type { KvService, RangePage, ReadOptions, RequestOptions } from './service.ts';

export interface KvServiceOptions {
  readonly valueBytesMax: number;
  /** Bytes of keys and values in one page; a longer list is continued with `next`. */
  readonly pageBytesMax: number;
}

/** Bytes of keys and values that one read of a streamed range holds. */
const streamPageBytes = 256 * 1024;

/** The one service behind all APIs; see `KvService`. */
export class ReplicaKvService implements KvService {
  readonly #replica: Replica;
  readonly #options: KvServiceOptions;
  readonly #pinned: PinnedViews;

  constructor(replica: Replica, options: KvServiceOptions) {
    const { clock, memberId, random } = replica.options;
    this.#replica = replica;
    this.#options = options;
    this.#pinned = new PinnedViews(clock, `${memberId}-${random.below(2 ** 32).toString(36)}`);
  }

  header(): AnswerHeader {
    const { store, memberId } = this.#replica.options;
    return { memberId, revision: store.revision, raftTerm: this.#replica.core.term };
  }

  async put(request: PutRequest, options: RequestOptions): Promise<PutAnswer> {
    checkKey(request.key);
    this.#checkValue(request.value);
    const { term, result } = await this.#replica.submit(encodeCommand({ kind: 'put', ...request }), options.timeoutMs);
    if (result.kind === 'conditionFailed') throw conditionFailed(result);
    if (result.kind !== 'put') throw mismatch(result);
    return {
      header: this.#writeHeader(term, result),
      created: result.created,
      createRevision: result.createRevision,
      modRevision: result.revision,
      version: result.version,
      previous: result.previous,
    };
  }

  async delete(request: DeleteRequest, options: RequestOptions): Promise<DeleteAnswer> {
    checkKey(request.key);
    return this.#delete(encodeCommand({ kind: 'delete', ...request }), options);
  }

  async deleteRange(request: DeleteRangeRequest, options: RequestOptions): Promise<DeleteAnswer> {
    checkRange(request.range);
    return this.#delete(encodeCommand({ kind: 'deleteRange', ...request }), options);
  }

  async get(key: Uint8Array, options: ReadOptions): Promise<GetAnswer> {
    checkKey(key);
    const stalenessMs = await this.#reach(options.consistency, options);
    const kv = this.#replica.options.store.get(key);
    return { header: this.#readHeader(stalenessMs), kv };
  }

  async range(request: RangeRequest, options: ReadOptions): Promise<RangePage> {
    checkRange(request.range);
    const stalenessMs = await this.#reach(options.consistency, options);
    const header = this.#readHeader(stalenessMs);
    const view = this.#replica.options.store.readView();
    return keepOnlyIf(view, async () => {
      if (request.countOnly)
        return [{ header, kvs: [], count: await view.count(request.range), more: false, next: undefined }];
      return request.sort === 'key' ? this.#firstPage(view, header, request) : this.#sortedPage(view, header, request);
    });
  }

  async nextPage(after: string, options: RequestOptions & { readonly limit: number }): Promise<RangePage> {
    const { id, list, next } = this.#pinned.resume(after);
    const range = list.order === 'asc' ? { ...list.range, start: next } : { ...list.range, end: next };
    const page = await list.view.page(range, this.#pageOptions(list, options.limit));
    if (page.next === undefined) this.#pinned.unpin(id);
    return {
      header: { ...this.header(), revision: list.revision },
      kvs: page.kvs,
      count: list.count,
      more: page.next !== undefined,
      next: page.next === undefined ? undefined : this.#pinned.token(id, page.next),
    };
  }

  async stream(
    range: KeyRange,
    options: ReadOptions & { readonly keysOnly: boolean },
  ): Promise<{ readonly header: AnswerHeader; readonly pages: AsyncIterable<readonly KeyValue[]> }> {
    checkRange(range);
    const stalenessMs = await this.#reach(options.consistency, options);
    const header = this.#readHeader(stalenessMs);
    const view = this.#replica.options.store.readView();
    return { header, pages: new ViewPages(view, range, options.keysOnly) };
  }

  close(): void {
    this.#pinned.close();
  }

  /** Waits until this member's state is as new as promised; the age of the state where the read may be stale. */
  async #reach(consistency: Consistency, options: RequestOptions): Promise<number | undefined> {
    if (this.#replica.hasFailed)
      throw new BalsaError('unavailable', 'This member failed and is stopping. Ask another member.');
    if (consistency.level === 'stale') return this.#replica.stalenessMs();
    if (consistency.level === 'bounded') {
      const stalenessMs = this.#replica.stalenessMs();
      if (stalenessMs <= consistency.maxStalenessMs) return stalenessMs;
    }
    await this.#replica.reads.confirm(options.timeoutMs);
    return undefined;
  }

  async #delete(command: Uint8Array, options: RequestOptions): Promise<DeleteAnswer> {
    const { term, result } = await this.#replica.submit(command, options.timeoutMs);
    if (result.kind === 'conditionFailed') throw conditionFailed(result);
    if (result.kind === 'rangeTooLarge') throw rangeTooLarge(result);
    if (result.kind !== 'delete') throw mismatch(result);
    return { header: this.#writeHeader(term, result), deleted: result.deleted, previous: result.previous };
  }

  /** Answers with a page and, if it is not the last, keeps the view for the ones that follow. */
  async #firstPage(view: ReadView, header: AnswerHeader, request: RangeRequest): Promise<[RangePage, 'keep'?]> {
    const page = await view.page(request.range, this.#pageOptions(request, request.limit));
    if (page.next === undefined) {
      return [{ header, kvs: page.kvs, count: page.kvs.length, more: false, next: undefined }];
    }
    const count = await view.count(request.range);
    const { range, keysOnly, order } = request;
    const next = this.#pinned.pin({ view, revision: view.revision, range, keysOnly, order, count }, page.next);
    return [{ header, kvs: page.kvs, count, more: true, next }, 'keep'];
  }

  async #sortedPage(view: ReadView, header: AnswerHeader, request: RangeRequest): Promise<[RangePage]> {
    const { range, limit, keysOnly, sort, order } = request;
    const bytesMax = this.#options.pageBytesMax;
    const { kvs, more } = await view.sorted(range, { limit, bytesMax, keysOnly, sort, order });
    const count = more ? await view.count(range) : kvs.length;
    return [{ header, kvs, count, more, next: undefined }];
  }

  #pageOptions(list: { readonly keysOnly: boolean; readonly order: 'asc' | 'desc' }, limit: number) {
    return { limit, bytesMax: this.#options.pageBytesMax, keysOnly: list.keysOnly, reverse: list.order === 'desc' };
  }

  #writeHeader(term: Term, result: CommandResult): AnswerHeader {
    return { memberId: this.#replica.options.memberId, revision: result.revision, raftTerm: term };
  }

  #readHeader(stalenessMs: number | undefined): AnswerHeader {
    return stalenessMs === undefined ? this.header() : { ...this.header(), stalenessMs };
  }

  #checkValue(value: Uint8Array): void {
    if (value.length <= this.#options.valueBytesMax) return;
    throw new BalsaError(
      'too_large',
      `The value has ${value.length} bytes; this cluster takes ${this.#options.valueBytesMax} (--max-request-bytes).`,
    );
  }
}

/** A whole range, page by page, from one view; the view is closed at the end and when the reader leaves early. */
class ViewPages implements AsyncIterable<readonly KeyValue[]>, AsyncIterator<readonly KeyValue[], undefined> {
  readonly #view: ReadView;
  readonly #keysOnly: boolean;
  readonly #end: Uint8Array | undefined;
  #next: Uint8Array | undefined;

  constructor(view: ReadView, range: KeyRange, keysOnly: boolean) {
    this.#view = view;
    this.#keysOnly = keysOnly;
    this.#next = range.start;
    this.#end = range.end;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<readonly KeyValue[], undefined>> {
    if (this.#next === undefined) return this.return();
    try {
      const range = { start: this.#next, end: this.#end };
      const page = await this.#view.page(range, { limit: 0, bytesMax: streamPageBytes, keysOnly: this.#keysOnly });
      this.#next = page.next;
      return page.kvs.length === 0 ? await this.return() : { done: false, value: page.kvs };
    } catch (reason) {
      await this.return();
      throw reason;
    }
  }

  async return(): Promise<{ done: true; value: undefined }> {
    this.#next = undefined;
    await this.#view.close();
    return { done: true, value: undefined };
  }
}

async function keepOnlyIf(view: ReadView, read: () => Promise<[RangePage, 'keep'?]>): Promise<RangePage> {
  let kept = false;
  try {
    const [page, keep] = await read();
    kept = keep !== undefined;
    return page;
  } finally {
    if (!kept) await view.close();
  }
}

function checkKey(key: Uint8Array): void {
  if (key.length === 0)
    throw new BalsaError('bad_request', 'The key is empty; give at least one byte.', { extras: { parameter: 'key' } });
  if (key.length <= limits.keyBytesMax) return;
  throw new BalsaError('too_large', `The key has ${key.length} bytes; the most is ${limits.keyBytesMax}.`, {
    extras: { parameter: 'key' },
  });
}

function checkRange(range: KeyRange): void {
  const longest = Math.max(range.start.length, range.end?.length ?? 0);
  if (longest <= limits.keyBytesMax) return;
  throw new BalsaError('too_large', `A bound of the range has ${longest} bytes; the most is ${limits.keyBytesMax}.`);
}

function conditionFailed(result: CommandResult & { kind: 'conditionFailed' }): BalsaError {
  const present =
    result.modRevision === undefined ? 'there is no such key' : `its mod revision is ${result.modRevision}`;
  return new BalsaError('precondition_failed', `The condition does not hold: ${present}. Nothing was changed.`, {
    extras: { modRevision: result.modRevision ?? null },
  });
}

function rangeTooLarge({ keysMax, keyBytesMax }: CommandResult & { kind: 'rangeTooLarge' }): BalsaError {
  return new BalsaError(
    'too_large',
    `The range holds more than ${keysMax} keys or ${keyBytesMax} bytes of keys, the most that one deletion takes. ` +
      'Nothing was deleted; delete it in smaller ranges.',
  );
}

function mismatch(result: CommandResult): BalsaError {
  return BalsaError.from(new Error(`the state machine answered a ${result.kind} to another command`));
}
