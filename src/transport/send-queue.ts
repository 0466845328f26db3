import { entryRecordOverheadBytes } from '../raft/entry-record.ts';
import type { Message } from '../raft/types.ts';
import { encodeFrame, frameItemsMax, type WireRequest } from './codec.ts';

/** Of one kind in one `take`; a single item may be larger. */
const takeBytesMax = 128 * 1024;

/** Generous for the fields of a message, a request or a frame. */
const overheadBytes = 64;

interface QueuedMessage {
  readonly groupId: number;
  message: Message;
  readonly bytes: number;
}

interface QueuedRequest {
  readonly request: WireRequest;
  readonly bytes: number;
}

/** `too_large`: it fits into no frame. */
export type Admission = 'queued' | 'full' | 'too_large';

/**
 * What waits for one peer, as values: it becomes bytes when the socket can take it. Bounded in bytes.
 *
 * A heartbeat always fits, because at most one of each group waits: a newer one says everything the older one did and
 * takes its place. A follower therefore hears its leader also while the queue is full of entries.
 */
export class SendQueue {
  readonly #bytesMax: number;
  readonly #itemBytesMax: number;
  readonly #messages: QueuedMessage[] = [];
  readonly #requests: QueuedRequest[] = [];
  readonly #heartbeats = new Map<number, QueuedMessage>();
  #bytes = 0;

  constructor(limits: { readonly bytesMax: number; readonly frameBytesMax: number }) {
    this.#bytesMax = limits.bytesMax;
    this.#itemBytesMax = limits.frameBytesMax - overheadBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  addMessage(groupId: number, message: Message): Admission {
    if (message.type === 'heartbeat') {
      this.#addHeartbeat(groupId, message);
      return 'queued';
    }
    const bytes = messageBytes(message);
    const admission = this.#admit(bytes);
    if (admission === 'queued') this.#messages.push({ groupId, message, bytes });
    return admission;
  }

  addRequest(request: WireRequest): Admission {
    const bytes = overheadBytes + request.body.length;
    const admission = this.#admit(bytes);
    if (admission === 'queued') this.#requests.push({ request, bytes });
    return admission;
  }

  removeRequest(id: number): void {
    const at = this.#requests.findIndex(({ request }) => request.id === id);
    if (at < 0) return;
    for (const { bytes } of this.#requests.splice(at, 1)) this.#bytes -= bytes;
  }

  /** Frames for the next write, messages first; `onRequestTaken` is told which requests are in them. */
  take(onRequestTaken: (id: number) => void): Buffer[] {
    const frames: Buffer[] = [];
    for (let bytes = 0; bytes < takeBytesMax && this.#messages.length > 0; bytes += frames.at(-1)?.length ?? 0) {
      frames.push(this.#takeMessages());
    }
    for (let bytes = 0; bytes < takeBytesMax && this.#requests.length > 0; bytes += frames.at(-1)?.length ?? 0) {
      const requests = this.#takeFront(this.#requests, () => true).map(({ request }) => request);
      for (const { id } of requests) onRequestTaken(id);
      frames.push(encodeFrame({ type: 'requests', requests }));
    }
    return frames;
  }

  #admit(bytes: number): Admission {
    if (bytes > this.#itemBytesMax) return 'too_large';
    if (this.#bytes + bytes > this.#bytesMax) return 'full';
    this.#bytes += bytes;
    return 'queued';
  }

  #addHeartbeat(groupId: number, message: Message): void {
    const waiting = this.#heartbeats.get(groupId);
    if (waiting !== undefined) {
      waiting.message = message;
      return;
    }
    const queued = { groupId, message, bytes: overheadBytes };
    this.#heartbeats.set(groupId, queued);
    this.#messages.push(queued);
    this.#bytes += queued.bytes;
  }

  #takeMessages(): Buffer {
    const groupId = this.#messages[0]?.groupId ?? 0;
    const queued = this.#takeFront(this.#messages, (item) => item.groupId === groupId);
    for (const item of queued) if (this.#heartbeats.get(groupId) === item) this.#heartbeats.delete(groupId);
    return encodeFrame({ type: 'messages', groupId, messages: queued.map(({ message }) => message) });
  }

  /** The oldest items that may share a frame and fit into it; at least one. */
  #takeFront<T extends { readonly bytes: number }>(queue: T[], belongs: (item: T) => boolean): T[] {
    const bytesMax = Math.min(takeBytesMax, this.#itemBytesMax);
    let count = 0;
    let bytes = 0;
    for (const item of queue) {
      if (count > 0 && (count === frameItemsMax || bytes + item.bytes > bytesMax || !belongs(item))) break;
      count++;
      bytes += item.bytes;
    }
    this.#bytes -= bytes;
    return queue.splice(0, count);
  }
}

/** An upper bound of what it takes on the wire. */
function messageBytes(message: Message): number {
  let bytes = overheadBytes;
  if (message.type !== 'appendEntries') return bytes;
  for (const { data } of message.entries) bytes += data.length + entryRecordOverheadBytes + 5;
  return bytes;
}
