import { BalsaError } from '../../../contract/errors.ts';
import type { KeyRange } from '../../../contract/kv.ts';
import type { Watch } from '../../../replica/service.ts';
import { checkLeader, type EtcdOptions, type Headers, requiresLeader } from '../etcd-options.ts';
import type { StreamCall, StreamRequests } from '../method.ts';
import type { WatchCreateRequest, WatchRequest, WatchResponse } from '../proto/messages/watch.ts';
import { EtcdError, etcdErrors } from '../status.ts';
import { rangeOf, revisionOf } from './key-ranges.ts';
import { Watcher, type WatcherStream } from './watcher.ts';

/** Of one stream; each costs some hundred bytes. */
const watchersMax = 16_384;
/** How often a progress request that has to wait looks again. */
const progressPollMs = 20;
/** Of events; etcd allows as much more than a request as its transport. */
const overheadBytes = 512 * 1024;

/**
 * The watchers of one stream.
 *
 * **Invariant:** for a client that does not read, at most one response per watcher is kept, and none that it has not room for when it
 * is made: everything else is read again from the history.
 */
export class WatchStream implements StreamRequests<WatchRequest>, WatcherStream {
  readonly responseBytesMax: number;
  readonly #call: StreamCall<WatchResponse>;
  readonly #options: EtcdOptions;
  readonly #headers: Headers;
  readonly #watchers = new Map<bigint, Watcher>();
  #nextId = 0n;
  #isFull = false;
  #isOver = false;
  #progressTimer: NodeJS.Timeout | undefined;
  #notifyTimer: NodeJS.Timeout | undefined;

  constructor(call: StreamCall<WatchResponse>, options: EtcdOptions, headers: Headers) {
    this.#call = call;
    this.#options = options;
    this.#headers = headers;
    this.responseBytesMax = options.requestBytesMax + overheadBytes;
    call.drained = () => this.#drained();
  }

  get isFull(): boolean {
    return this.#isFull || this.#isOver;
  }

  async onRequest(request: WatchRequest): Promise<void> {
    checkLeader(this.#call, this.#options.cluster);
    if (request.createRequest !== undefined) await this.#create(request.createRequest);
    else if (request.cancelRequest !== undefined) this.#cancel(request.cancelRequest.watchId);
    else if (request.progressRequest !== undefined) this.#tellProgress();
  }

  /** The client will send no more; what it watches goes on. */
  onEnd(): void {}

  onClose(): void {
    this.#isOver = true;
    clearTimeout(this.#progressTimer);
    clearInterval(this.#notifyTimer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  send(...response: Parameters<StreamCall<WatchResponse>['send']>): boolean {
    this.#isFull = !this.#call.send(...response);
    return !this.#isFull;
  }

  header(revision: number) {
    return this.#headers.of({ ...this.#options.kv.header(), revision });
  }

  /** A watcher is over, and not because the client said so. */
  onWatcherEnd(watcher: Watcher, error: BalsaError): void {
    const { compactRevision } = error.extras;
    if (error.code !== 'compacted' || typeof compactRevision !== 'number') {
      this.#call.end(this.#streamError(error));
      return;
    }
    this.#watchers.delete(watcher.id);
    this.send({
      header: this.#headers.now(),
      watchId: watcher.id,
      canceled: true,
      compactRevision,
      cancelReason: error.kind.etcdText,
    });
  }

  async #create(request: WatchCreateRequest): Promise<void> {
    const range = watchedRange(request);
    const refusal = this.#objection(request, range);
    if (refusal !== undefined) return this.#refuse(refusal);
    const id = request.watchId === 0n ? this.#freeId() : request.watchId;
    const watcher = new Watcher(this, id, request);
    this.#watchers.set(id, watcher);
    const asked = {
      range,
      revision: revisionOf(request.startRevision),
      previous: request.prevKv,
      filter: filterOf(request),
    };
    const { timeoutMs, signal } = this.#call;
    let watches: Watch | undefined;
    try {
      if (!filtersAll(request)) watches = await this.#options.watch.watch(asked, watcher, { timeoutMs, signal });
    } catch (reason) {
      if (!(reason instanceof BalsaError && reason.code === 'too_many_requests')) throw reason;
      this.#watchers.delete(id);
      // The stream may have been ended meanwhile.
      if (!this.#isOver) this.#refuse(reason.kind.etcdText);
      return;
    }
    // The stream was ended meanwhile.
    if (this.#isOver) {
      watches?.close();
      return;
    }
    this.send({
      header: watches === undefined ? this.#headers.now() : this.#headers.of(watches.header),
      watchId: id,
      created: true,
    });
    watcher.open(watches);
    if (request.progressNotify) this.#notifyTimer ??= this.#startNotifying();
  }

  #objection({ watchId, startRevision }: WatchCreateRequest, { start, end }: KeyRange): string | undefined {
    if (startRevision < 0n) return etcdErrors.compacted().message;
    if (end !== undefined && Buffer.compare(start, end) >= 0) return 'mvcc: watcher range is empty';
    if (watchId !== 0n && this.#watchers.has(watchId)) return 'mvcc: duplicate watch ID provided on the WatchStream';
    if (this.#watchers.size >= watchersMax) return etcdErrors.tooManyRequests().message;
    return undefined;
  }

  #refuse(cancelReason: string): void {
    this.send({ header: this.#headers.now(), watchId: -1, created: true, canceled: true, cancelReason });
  }

  #freeId(): bigint {
    while (this.#watchers.has(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }

  /** Of one that is not there etcd says nothing. */
  #cancel(watchId: bigint): void {
    const watcher = this.#watchers.get(watchId);
    if (watcher === undefined) return;
    this.#watchers.delete(watchId);
    watcher.close();
    this.send({ header: this.#headers.now(), watchId, canceled: true });
  }

  /** One answer for all watchers, once each of them has been told all that happened up to its revision. */
  #tellProgress(): void {
    clearTimeout(this.#progressTimer);
    if (this.#isOver) return;
    const { revision } = this.#options.kv.header();
    const isToldAll = [...this.#watchers.values()].every((watcher) => watcher.toldTo(revision) >= revision);
    if (isToldAll && !this.#isFull) this.send({ header: this.header(revision), watchId: -1 });
    else this.#progressTimer = setTimeout(() => this.#tellProgress(), progressPollMs);
  }

  #startNotifying(): NodeJS.Timeout {
    return setInterval(() => {
      for (const watcher of this.#watchers.values()) watcher.notify(this.#options.kv.header().revision);
    }, this.#options.progressNotifyMs);
  }

  #drained(): void {
    this.#isFull = false;
    for (const watcher of this.#watchers.values()) {
      if (this.#isFull) return;
      watcher.resume();
    }
  }

  /**
   * Etcd's Go client gives a watch up when it is told that there is no leader, which only those expect that asked for it. The others
   * begin again elsewhere.
   */
  #streamError(error: BalsaError): EtcdError {
    if (error.code !== 'no_leader' || requiresLeader(this.#call)) return EtcdError.from(error);
    return new EtcdError('UNAVAILABLE', 'etcdserver: request timed out, possibly due to connection lost');
  }
}

/** An empty key is the first one there can be. */
function watchedRange({ key, rangeEnd }: WatchCreateRequest): KeyRange {
  return rangeOf({ key: key.length === 0 ? Buffer.of(0) : key, rangeEnd });
}

function filterOf({ filters }: WatchCreateRequest): 'put' | 'delete' | undefined {
  if (filters.length === 0) return undefined;
  return filters.includes(0) ? 'put' : 'delete';
}

/** It will never be told anything. */
function filtersAll({ filters }: WatchCreateRequest): boolean {
  return filters.includes(0) && filters.includes(1);
}
