import type { BalsaError } from '../../../contract/errors.ts';
import type { WatchBatch, WatchEvent } from '../../../contract/watch.ts';
import type { Watch, WatchSink } from '../../../replica/service.ts';
import type { SharedFields, StreamCall } from '../method.ts';
import { encode } from '../proto/binary.ts';
import type { Init } from '../proto/message-type.ts';
import type { ResponseHeader } from '../proto/messages/header.ts';
import { type Event, type WatchCreateRequest, WatchEvents, type WatchResponse } from '../proto/messages/watch.ts';

/** What a watcher needs of its stream. */
export interface WatcherStream {
  /** No more may be sent at the moment. */
  readonly isFull: boolean;
  /** Bytes of a response above which it is sent in fragments, if the client can put them together. */
  readonly responseBytesMax: number;
  send(...response: Parameters<StreamCall<WatchResponse>['send']>): boolean;
  header(revision: number): Init<ResponseHeader>;
  onWatcherEnd(watcher: Watcher, error: BalsaError): void;
}

/** One watcher of a stream. */
export class Watcher implements WatchSink {
  readonly id: bigint;
  readonly #stream: WatcherStream;
  readonly #request: WatchCreateRequest;
  #watch: Watch | undefined;
  #isOpen = false;
  #isOver = false;
  #isWaiting = false;
  #heldEnd: BalsaError | undefined;
  /** Something was sent since progress was last due. */
  #hasSent = false;

  constructor(stream: WatcherStream, id: bigint, request: WatchCreateRequest) {
    this.#stream = stream;
    this.id = id;
    this.#request = request;
  }

  /** The client has been told that it is there. Undefined: there is nothing that it could be told of. */
  open(watch: Watch | undefined): void {
    this.#watch = watch;
    this.#isOpen = true;
    if (this.#isOver) watch?.close();
    else if (this.#heldEnd !== undefined) this.onEnd(this.#heldEnd);
    else this.resume();
  }

  onBatch(batch: WatchBatch): boolean | 'later' {
    if (!this.#isOpen || this.#stream.isFull) {
      this.#isWaiting = true;
      return 'later';
    }
    this.#hasSent = true;
    const takesMore = this.#send(batch);
    if (!takesMore) this.#isWaiting = true;
    return takesMore;
  }

  onProgress(): boolean {
    return true;
  }

  onEnd(error: BalsaError): void {
    if (!this.#isOpen) {
      this.#heldEnd = error;
      return;
    }
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream.onWatcherEnd(this, error);
  }

  /** There is room again. */
  resume(): void {
    if (!this.#isWaiting || !this.#isOpen) return;
    this.#isWaiting = false;
    this.#watch?.resume();
  }

  /** Everything that happened up to this revision has been sent; where nothing can happen, that is all up to `revision`. */
  toldTo(revision: number): number {
    return this.#watch === undefined ? revision : this.#watch.toldTo();
  }

  /** Now and then, if it was asked for and there was nothing to tell. */
  notify(revision: number): void {
    const isDue = this.#request.progressNotify && !this.#hasSent && !this.#stream.isFull;
    this.#hasSent = false;
    if (!isDue || this.toldTo(revision) < revision) return;
    this.#stream.send({ header: this.#stream.header(revision), watchId: this.id });
  }

  close(): void {
    this.#isOver = true;
    this.#watch?.close();
  }

  #send(batch: WatchBatch): boolean {
    const header = this.#stream.header(batch.revision);
    const shared = new SharedEvents(batch);
    if (!this.#request.fragment || shared.binary().length <= this.#stream.responseBytesMax) {
      return this.#stream.send({ header, watchId: this.id }, shared);
    }
    const parts = fragments(batch.events, this.#stream.responseBytesMax);
    let takesMore = true;
    for (const [i, events] of parts.entries()) {
      takesMore = this.#stream.send({ header, watchId: this.id, fragment: i < parts.length - 1, events });
    }
    return takesMore;
  }
}

/** All watchers of the same keys send the same events. */
class SharedEvents implements SharedFields<WatchResponse> {
  readonly #batch: WatchBatch;

  constructor(batch: WatchBatch) {
    this.#batch = batch;
  }

  binary(): Uint8Array {
    return this.#batch.encoded(encodeEvents);
  }

  fields(): Init<WatchResponse> {
    return { events: this.#batch.events.map(eventMessage) };
  }
}

function encodeEvents({ events }: WatchBatch): Buffer {
  const { buffer, byteOffset, byteLength } = encode(WatchEvents, { events: events.map(eventMessage) });
  return Buffer.from(buffer, byteOffset, byteLength);
}

function eventMessage({ type, kv, previous }: WatchEvent): Init<Event> {
  return { type: type === 'put' ? 0 : 1, kv, prevKv: previous };
}

/** As few parts as hold at most so many bytes each; at least one event in each. */
function fragments(events: readonly WatchEvent[], bytesMax: number): readonly (readonly Init<Event>[])[] {
  const parts: Init<Event>[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const event of events.map(eventMessage)) {
    const size = encode(WatchEvents, { events: [event] }).length;
    if (bytes + size > bytesMax) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(event);
    bytes += size;
  }
  return parts;
}
