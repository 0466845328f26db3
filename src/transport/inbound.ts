import type { Duplex } from 'node:stream';
import { InvariantViolation } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { MemberId, Message } from '../raft/types.ts';
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  frameItemsMax,
  type Hello,
  type Refused,
  type WireAnswer,
  type WireRequest,
} from './codec.ts';
import { FrameStream } from './frame-stream.ts';
import type { Ends } from './message-codec.ts';

/** Requests of one peer that are being handled or whose answers have not left. */
export const requestsInFlightMax = 4096;

/** A request has no longer than that, whatever it says itself. */
const requestTimeoutMsMax = 10 * 60 * 1000;

/** Of answers in one `takeFrames`; a single one may be larger. */
const takeBytesMax = 128 * 1024;

const answerOverheadBytes = 64;

export interface InboundOptions {
  readonly clock: Clock;
  readonly frameBytesMax: number;
  /** Of requests that are being handled, and of answers that wait to be sent. */
  readonly queueBytesMax: number;
}

export interface InboundEvents {
  /** The hello to answer with, or why there is none. */
  onHello(hello: Hello): Hello | Refused;
  onMessages(groupId: number, messages: readonly Message[]): void;
  /** `undefined` if nobody serves that group. */
  onRequest(from: MemberId, request: WireRequest): Promise<Uint8Array> | undefined;
  /** The peer, whose hello was accepted, does not accept this member; `onClose` follows. */
  onRefused(refusal: Refused): void;
  /** Of a peer that was accepted. */
  onTraffic?(peer: MemberId, receivedBytes: number, sentBytes: number): void;
  /** Called once. `failed`: the other side sent something that it must not send. */
  onClose(reason: string, failed: boolean): void;
}

interface InFlight {
  readonly bytes: number;
  readonly expiresMs: number;
}

/** A connection that a peer dialed: its messages and requests come in, our answers go out. */
export class InboundConnection {
  readonly #options: InboundOptions;
  readonly #events: InboundEvents;
  readonly #stream: FrameStream;
  #hello: Hello | undefined;
  #ends: Ends | undefined;
  #opening: Buffer | undefined;
  #pongUs: number | undefined;
  #answers: WireAnswer[] = [];
  #answerBytes = 0;
  readonly #inFlight = new Set<InFlight>();
  #inFlightBytes = 0;

  constructor(socket: Duplex, options: InboundOptions, events: InboundEvents) {
    this.#options = options;
    this.#events = events;
    this.#stream = new FrameStream(socket, options.clock, {
      onBody: (body) => this.#onBody(body),
      takeFrames: () => this.#takeFrames(),
      onTraffic: (receivedBytes, sentBytes) => {
        if (this.#hello !== undefined) events.onTraffic?.(this.#hello.from, receivedBytes, sentBytes);
      },
      onClose: (reason, failed) => events.onClose(reason, failed),
    });
  }

  /** Present once the other side was accepted. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  get aliveMs(): number {
    return this.#stream.aliveMs;
  }

  /** A peer pings at every heartbeat: silence alone says that it is gone. */
  silentMs(): number {
    return this.#stream.silentMs();
  }

  forgiveSilence(): void {
    this.#stream.forgiveSilence();
  }

  start(head: Buffer): void {
    this.#stream.start(head);
  }

  close(reason: string): void {
    this.#stream.close(reason);
  }

  /** Closes after these last words. */
  refuse(refusal: Refused): void {
    this.#stream.endWith(encodeFrame(refusal), refusal.reason);
  }

  /** Gives up the requests whose answers nobody waits for any more. */
  sweep(): void {
    const now = this.#options.clock.monotonicMs();
    for (const request of this.#inFlight) if (request.expiresMs <= now) this.#settle(request);
  }

  #onBody(body: Buffer): void {
    const ends = this.#ends;
    const frame = decodeFrame(body, ends);
    if (typeof frame === 'string') this.#stream.fail(frame);
    else if (ends !== undefined) this.#onFrame(frame, ends.from);
    else if (frame.type === 'hello') this.#onHello(frame);
    else this.#stream.fail(`the first frame is not a hello but of type ${frame.type}`);
  }

  #onHello(hello: Hello): void {
    const reply = this.#events.onHello(hello);
    if (reply.type === 'refused') {
      this.refuse(reply);
      return;
    }
    this.#hello = hello;
    this.#ends = { from: hello.from, to: hello.to };
    this.#stream.allowBodies(this.#options.frameBytesMax);
    this.#opening = encodeFrame(reply);
    this.#stream.writeSoon();
  }

  #onFrame(frame: Frame, from: MemberId): void {
    switch (frame.type) {
      case 'messages':
        this.#events.onMessages(frame.groupId, frame.messages);
        break;
      case 'requests':
        for (const request of frame.requests) this.#handle(from, request);
        break;
      case 'ping':
        this.#pongUs = frame.timestampUs;
        this.#stream.writeSoon();
        break;
      case 'refused':
        this.#events.onRefused(frame);
        this.#stream.fail(`the peer does not want this member: ${frame.reason}`);
        break;
      default:
        this.#stream.fail(`a frame of type ${frame.type} came on a connection that its sender dialed`);
    }
  }

  #handle(from: MemberId, request: WireRequest): void {
    const { id, body } = request;
    const timeoutMs = Math.min(request.timeoutMs, requestTimeoutMsMax);
    const { clock, queueBytesMax } = this.#options;
    if (this.#inFlight.size >= requestsInFlightMax || this.#inFlightBytes + body.length > queueBytesMax) {
      this.#answer({ id, outcome: 'refused', reason: 'the member has too many requests of its peer to handle' });
      return;
    }
    const handled = this.#events.onRequest(from, { ...request, timeoutMs, body: ownBytes(body) });
    if (handled === undefined) {
      this.#answer({ id, outcome: 'refused', reason: `the member does not serve group ${request.groupId}` });
      return;
    }
    const inFlight = { bytes: body.length, expiresMs: clock.monotonicMs() + timeoutMs };
    this.#inFlight.add(inFlight);
    this.#inFlightBytes += body.length;
    handled.then(
      (answer) => {
        if (this.#settle(inFlight)) this.#answer(this.#answered(id, answer));
      },
      (reason: unknown) => {
        // A mistake of our own must not look like bad luck of the peer's: it ends the process.
        if (reason instanceof InvariantViolation) throw reason;
        const words = reason instanceof Error ? reason.message : String(reason);
        if (this.#settle(inFlight)) this.#answer({ id, outcome: 'failed', reason: words });
      },
    );
  }

  #answered(id: number, body: Uint8Array): WireAnswer {
    if (body.length + 2 * answerOverheadBytes <= this.#options.frameBytesMax) return { id, outcome: 'answered', body };
    return { id, outcome: 'failed', reason: `the answer of ${body.length} bytes fits into no frame` };
  }

  /** False if it was given up before. */
  #settle(request: InFlight): boolean {
    if (!this.#inFlight.delete(request)) return false;
    this.#inFlightBytes -= request.bytes;
    return true;
  }

  #answer(answer: WireAnswer): void {
    if (!this.#stream.isOpen) return;
    this.#answers.push(answer);
    this.#answerBytes += answerBytes(answer);
    if (this.#answerBytes <= this.#options.queueBytesMax) this.#stream.writeSoon();
    else this.#stream.fail('the peer asks and does not read the answers');
  }

  #takeFrames(): readonly Buffer[] {
    const frames: Buffer[] = [];
    if (this.#opening !== undefined) frames.push(this.#opening);
    this.#opening = undefined;
    if (this.#pongUs !== undefined) frames.push(encodeFrame({ type: 'pong', timestampUs: this.#pongUs }));
    this.#pongUs = undefined;
    for (let bytes = 0; bytes < takeBytesMax && this.#answers.length > 0; bytes += frames.at(-1)?.length ?? 0) {
      frames.push(encodeFrame({ type: 'answers', answers: this.#takeAnswers() }));
    }
    return frames;
  }

  #takeAnswers(): readonly WireAnswer[] {
    const bytesMax = Math.min(takeBytesMax, this.#options.frameBytesMax - answerOverheadBytes);
    let count = 0;
    let bytes = 0;
    for (const answer of this.#answers) {
      if (count > 0 && (count === frameItemsMax || bytes + answerBytes(answer) > bytesMax)) break;
      count++;
      bytes += answerBytes(answer);
    }
    this.#answerBytes -= bytes;
    return this.#answers.splice(0, count);
  }
}

/** The handler may keep the body for long: it must not hold on to a frame that is much larger. */
function ownBytes(body: Uint8Array): Uint8Array {
  return body.buffer.byteLength > 2 * body.length ? Buffer.from(body) : body;
}

function answerBytes(answer: WireAnswer): number {
  // A character of a reason takes up to three bytes.
  return answerOverheadBytes + (answer.outcome === 'answered' ? answer.body.length : 3 * answer.reason.length);
}
