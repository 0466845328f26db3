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
  Revision,
} from '../contract/kv.ts';
import type { TxnAnswer, TxnRequest } from '../contract/txn.ts';
import type { CommandResult, ReadView } from '../mvcc/index.ts';
import type { Term } from '../raft/index.ts';
import { checkKept, checkKey, checkRange, checkTxn, checkValue } from './check-txn.ts';
import { type PagedList, pageToken, readPageToken } from './page-token.ts';
import { compacted, futureRevision, refusalError } from './refusal-error.ts';
import type { Replica } from './replica.ts';
import type { KvService, RangeLimits, RangePage, ReadOptions, RequestOptions, WriteOptions } from './service.ts';
import { type ClientCommand, encodeWrite } from './write-command.ts';

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

  constructor(replica: Replica, options: KvServiceOptions) {
    this.#replica = replica;
    this.#options = options;
  }

  header(): AnswerHeader {
    return this.#replica.header();
  }

  async put(request: PutRequest, options: WriteOptions): Promise<PutAnswer> {
    checkKey(request.key);
    checkValue(request.value, this.#options.valueBytesMax);
    checkKept(request);
    const { term, result } = await this.#submit({ kind: 'put', ...request }, options);
    if (result.kind !== 'put') throw failure(result);
    return {
      header: this.#writeHeader(term, result),
      created: result.created,
      createRevision: result.createRevision,
      modRevision: result.revision,
      version: result.version,
      previous: result.previous,
    };
  }

  async delete(request: DeleteRequest, options: WriteOptions): Promise<DeleteAnswer> {
    checkKey(request.key);
    return this.#delete({ kind: 'delete', ...request }, options);
  }

  async deleteRange(request: DeleteRangeRequest, options: WriteOptions): Promise<DeleteAnswer> {
    checkRange(request.range);
    return this.#delete({ kind: 'deleteRange', ...request }, options);
  }

  async txn(txn: TxnRequest, options: WriteOptions): Promise<TxnAnswer> {
    checkTxn(txn, this.#options.valueBytesMax);
    const { term, result } = await this.#submit({ kind: 'txn', txn }, options);
    if (result.kind !== 'txn') throw failure(result);
    return { header: this.#writeHeader(term, result), succeeded: result.succeeded, results: result.results };
  }

  async compact(revision: Revision, options: WriteOptions): Promise<{ readonly header: AnswerHeader }> {
    const { term, result } = await this.#submit({ kind: 'compact', revision }, options);
    if (result.kind !== 'done') throw failure(result);
    return { header: this.#writeHeader(term, result) };
  }

  async get(key: Uint8Array, options: ReadOptions & { readonly revision?: Revision | undefined }): Promise<GetAnswer> {
    checkKey(key);
    const stalenessMs = await this.#reach(options.consistency, options);
    const { store } = this.#replica.options;
    const { revision } = options;
    if (revision === undefined) return { header: this.#readHeader(stalenessMs), kv: store.get(key) };
    this.#checkRevision(revision);
    const header = this.#readHeader(stalenessMs);
    const view = store.readView(revision);
    try {
      return { header, kv: await view.get(key) };
    } finally {
      await view.close();
    }
  }

  async range(request: RangeRequest, options: ReadOptions & RangeLimits): Promise<RangePage> {
    checkRange(request.range);
    const { bytesMax = this.#options.pageBytesMax, wholeOnly = false } = options;
    const stalenessMs = await this.#reach(options.consistency, options);
    this.#checkRevision(request.revision);
    const header = this.#readHeader(stalenessMs);
    const view = this.#replica.options.store.readView(request.revision);
    try {
      if (request.countOnly) {
        const count = await view.count(request.range);
        return { header, readRevision: view.revision, kvs: [], count, more: false, next: undefined };
      }
      if (request.sort !== 'key') return await this.#sorted(view, header, request, bytesMax);
      return await this.#firstPage(view, header, request, { bytesMax, wholeOnly });
    } finally {
      await view.close();
    }
  }

  async nextPage(after: string, options: RequestOptions & { readonly limit: number }): Promise<RangePage> {
    const { list, next } = readPageToken(after);
    const { store } = this.#replica.options;
    // The first page may be of another member, which had more.
    if (list.revision > store.revision) await this.#reach({ level: 'linearizable' }, options);
    this.#checkRevision(list.revision);
    const range = list.order === 'asc' ? { ...list.range, start: next } : { ...list.range, end: next };
    const view = store.readView(list.revision);
    try {
      const page = await view.page(range, this.#pageOptions(list, options.limit));
      return this.#page(this.header(), list, page);
    } finally {
      await view.close();
    }
  }

  async stream(
    range: KeyRange,
    options: ReadOptions & { readonly keysOnly: boolean; readonly revision?: Revision | undefined },
  ): Promise<{ readonly header: AnswerHeader; readonly pages: AsyncIterable<readonly KeyValue[]> }> {
    checkRange(range);
    const stalenessMs = await this.#reach(options.consistency, options);
    this.#checkRevision(options.revision);
    const header = this.#readHeader(stalenessMs);
    const view = this.#replica.options.store.readView(options.revision);
    return { header, pages: new ViewPages(view, range, options.keysOnly) };
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

  #checkRevision(revision: Revision | undefined): void {
    if (revision === undefined) return;
    const { store } = this.#replica.options;
    if (revision > store.revision) throw futureRevision(store.revision);
    if (revision < store.compactRevision) throw compacted(store.compactRevision);
  }

  #submit(command: ClientCommand, options: WriteOptions): ReturnType<Replica['submit']> {
    return this.#replica.submit(encodeWrite(command, options), options.timeoutMs);
  }

  async #delete(command: ClientCommand, options: WriteOptions): Promise<DeleteAnswer> {
    const { term, result } = await this.#submit(command, options);
    if (result.kind !== 'delete') throw failure(result);
    return { header: this.#writeHeader(term, result), deleted: result.deleted, previous: result.previous };
  }

  async #firstPage(
    view: ReadView,
    header: AnswerHeader,
    request: RangeRequest,
    { bytesMax, wholeOnly }: Required<RangeLimits>,
  ): Promise<RangePage> {
    const { range, keysOnly, order, bounds, limit } = request;
    const page = await view.page(range, { ...this.#pageOptions({ keysOnly, order, bounds }, limit), bytesMax });
    const isCut = page.next !== undefined;
    const isOfNoUse = wholeOnly && isCut && (limit === 0 || page.kvs.length < limit);
    const isWhole = !isCut && bounds === undefined;
    const count = isWhole ? page.kvs.length : isOfNoUse ? 0 : await view.count(range);
    return this.#page(header, { revision: view.revision, range, keysOnly, order, bounds, count }, page);
  }

  #page(
    header: AnswerHeader,
    list: PagedList,
    { kvs, next }: { readonly kvs: readonly KeyValue[]; readonly next: Uint8Array | undefined },
  ): RangePage {
    const token = next === undefined ? undefined : pageToken(list, next);
    return { header, readRevision: list.revision, kvs, count: list.count, more: next !== undefined, next: token };
  }

  async #sorted(view: ReadView, header: AnswerHeader, request: RangeRequest, bytesMax: number): Promise<RangePage> {
    const { kvs, count, more } = await view.list(request, bytesMax);
    return { header, readRevision: view.revision, kvs, count, more, next: undefined };
  }

  #pageOptions(list: Pick<PagedList, 'keysOnly' | 'order' | 'bounds'>, limit: number) {
    const { keysOnly, order, bounds } = list;
    return { limit, bytesMax: this.#options.pageBytesMax, keysOnly, reverse: order === 'desc', bounds };
  }

  #writeHeader(term: Term, result: CommandResult): AnswerHeader {
    return { memberId: this.#replica.options.memberId, revision: result.revision, raftTerm: term };
  }

  #readHeader(stalenessMs: number | undefined): AnswerHeader {
    return stalenessMs === undefined ? this.header() : { ...this.header(), stalenessMs };
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

function failure(result: CommandResult): BalsaError {
  if (result.kind === 'conditionFailed') return conditionFailed(result);
  if (result.kind === 'refused') return refusalError(result);
  return BalsaError.from(new Error(`the state machine answered a ${result.kind} to another command`));
}

function conditionFailed(result: CommandResult & { kind: 'conditionFailed' }): BalsaError {
  const present =
    result.modRevision === undefined ? 'there is no such key' : `its mod revision is ${result.modRevision}`;
  return new BalsaError('precondition_failed', `The condition does not hold: ${present}. Nothing was changed.`, {
    extras: { modRevision: result.modRevision ?? null },
  });
}
