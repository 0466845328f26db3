import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { Message } from '../raft/types.ts';
import { decodeFrame, encodeFrame, type Frame, type Hello, type Refused, type WireAnswer } from './codec.ts';
import { FrameStream } from './frame-stream.ts';
import { PendingRequests } from './pending-requests.ts';
import { type Admission, SendQueue } from './send-queue.ts';
import type { PeerAnswer, PeerRequest } from './transport.ts';

/** Requests to one peer that wait for an answer. */
const requestsPendingMax = 4096;

export interface OutboundOptions {
  readonly clock: Clock;
  readonly frameBytesMax: number;
  readonly queueBytesMax: number;
  /** What this side says first. */
  readonly hello: Hello;
  /** Why the other side's hello will not do. */
  readonly objectionTo: (hello: Hello) => Refused | undefined;
}

export interface OutboundEvents {
  /** Both sides said hello. */
  onOpen(): void;
  onTraffic?(receivedBytes: number, sentBytes: number): void;
  onRoundTrip?(durationMs: number): void;
  /** One of the sides did not want the other, or does not any more; `onClose` follows. */
  onRefused(refusal: Refused, by: 'us' | 'peer'): void;
  /** Called once. */
  onClose(reason: string): void;
}

/** A connection that this member dialed: messages and requests go out, answers to the requests come in. */
export class OutboundConnection {
  readonly #options: OutboundOptions;
  readonly #events: OutboundEvents;
  readonly #stream: FrameStream;
  readonly #queue: SendQueue;
  readonly #pending: PendingRequests;
  #isOpen = false;
  #peerHello: Hello | undefined;
  #opening: Buffer | undefined;
  #pingDue = false;
  #roundTripMs: number | undefined;

  constructor(socket: Duplex, options: OutboundOptions, events: OutboundEvents) {
    this.#options = options;
    this.#events = events;
    this.#queue = new SendQueue({ bytesMax: options.queueBytesMax, frameBytesMax: options.frameBytesMax });
    this.#pending = new PendingRequests(options.clock, (id) => this.#queue.removeRequest(id));
    this.#opening = encodeFrame(options.hello);
    this.#stream = new FrameStream(socket, options.clock, {
      onBody: (body) => this.#onBody(body),
      takeFrames: () => this.#takeFrames(),
      onTraffic: (receivedBytes, sentBytes) => events.onTraffic?.(receivedBytes, sentBytes),
      onClose: (reason) => this.#onClose(reason),
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get aliveMs(): number {
    return this.#stream.aliveMs;
  }

  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  get queuedBytes(): number {
    return this.#queue.bytes + this.#stream.writingBytes;
  }

  /** Requests without an answer. */
  get requestsPending(): number {
    return this.#pending.size;
  }

  /** What the other side said; present while it is open. */
  get peerHello(): Hello | undefined {
    return this.#peerHello;
  }

  overdueMs(): number {
    return this.#stream.overdueMs();
  }

  forgiveSilence(): void {
    this.#stream.forgiveSilence();
  }

  start(head: Buffer): void {
    this.#stream.start(head);
    this.#stream.writeSoon();
  }

  /** `flush` follows. */
  send(groupId: number, message: Message): Admission {
    return this.#queue.addMessage(groupId, message);
  }

  flush(): void {
    this.#stream.write();
  }

  request(request: PeerRequest): Promise<PeerAnswer> {
    if (this.#pending.size >= requestsPendingMax) return notSent('too many requests to the member wait for an answer');
    const { groupId, kind, body } = request;
    const timeoutMs = Math.max(1, Math.ceil(request.timeoutMs));
    const id = this.#pending.nextId();
    const admission = this.#queue.addRequest({ id, groupId, kind, body, timeoutMs });
    if (admission === 'full') return notSent('the queue to the member is full');
    if (admission === 'too_large') return notSent(`a request of ${body.length} bytes fits into no frame`);
    this.#stream.writeAtEndOfTurn();
    return this.#pending.add(id, timeoutMs);
  }

  ping(): void {
    this.#pingDue = true;
    this.#stream.writeSoon();
  }

  close(reason: string): void {
    this.#stream.close(reason);
  }

  #onBody(body: Buffer): void {
    const frame = decodeFrame(body, undefined);
    if (typeof frame === 'string') this.#stream.close(frame);
    else if (this.#isOpen) this.#onFrame(frame);
    else if (frame.type === 'hello') this.#onHello(frame);
    else if (frame.type === 'refused') this.#onRefused(frame);
    else this.#stream.close(`the first frame is not a hello but of type ${frame.type}`);
  }

  #onRefused(refusal: Refused): void {
    this.#events.onRefused(refusal, 'peer');
    this.#stream.close(refusal.reason);
  }

  #onHello(hello: Hello): void {
    const objection = this.#options.objectionTo(hello);
    if (objection !== undefined) {
      this.#events.onRefused(objection, 'us');
      this.#stream.endWith(encodeFrame(objection), objection.reason);
      return;
    }
    this.#isOpen = true;
    this.#peerHello = hello;
    this.#stream.allowBodies(this.#options.frameBytesMax);
    this.ping();
    this.#events.onOpen();
  }

  #onFrame(frame: Frame): void {
    switch (frame.type) {
      case 'answers':
        for (const answer of frame.answers) this.#pending.resolve(answer.id, peerAnswer(answer));
        break;
      case 'pong':
        this.#onPong(frame.timestampUs);
        break;
      case 'refused':
        this.#onRefused(frame);
        break;
      default:
        this.#stream.close(`a frame of type ${frame.type} came on a connection that this member dialed`);
    }
  }

  #onPong(timestampUs: number): void {
    const roundTripMs = this.#options.clock.monotonicMs() - timestampUs / 1000;
    if (roundTripMs < 0) return;
    this.#roundTripMs = roundTripMs;
    this.#events.onRoundTrip?.(roundTripMs);
  }

  #takeFrames(): readonly Buffer[] {
    const opening = this.#opening;
    this.#opening = undefined;
    if (opening !== undefined) return [opening];
    if (!this.#isOpen) return [];
    // Before the rest of the write, so that the round trip does not measure our own queue.
    const frames = this.#pingDue ? [this.#takePing()] : [];
    frames.push(...this.#queue.take((id) => this.#pending.markSent(id)));
    return frames;
  }

  #takePing(): Buffer {
    this.#pingDue = false;
    this.#stream.expectSign();
    return encodeFrame({ type: 'ping', timestampUs: Math.floor(this.#options.clock.monotonicMs() * 1000) });
  }

  #onClose(reason: string): void {
    this.#isOpen = false;
    this.#pending.endAll(reason);
    this.#events.onClose(reason);
  }
}

function peerAnswer(answer: WireAnswer): PeerAnswer {
  if (answer.outcome === 'answered') return { outcome: 'answered', body: answer.body };
  return { outcome: answer.outcome === 'refused' ? 'not_sent' : 'lost', reason: answer.reason };
}

function notSent(reason: string): Promise<PeerAnswer> {
  return Promise.resolve({ outcome: 'not_sent', reason });
}
