import type { Duplex } from 'node:stream';
import type { CancelTimer, Clock } from '../base/clock.ts';
import { describeError } from './describe-error.ts';
import { FrameReader } from './frame.ts';

/** Handed to the kernel at a time. Each piece that goes through shows that the other side still takes something. */
const writeBytesMax = 256 * 1024;

/** For last words to be taken by the other side. */
const lastWordsMs = 1000;

/** Before the hello nobody is owed more than the room for one. */
const helloBytesMax = 4096;

export interface FrameStreamEvents {
  /** One body, to be decoded. */
  onBody(body: Buffer): void;
  /** Frames to write next, about 256 KiB of them; none if there is nothing to say. */
  takeFrames(): readonly Buffer[];
  /** Bytes came in, or were given to the kernel. */
  onTraffic?(receivedBytes: number, sentBytes: number): void;
  /** Called once, when nothing more is read or written. `failed`: the other side sent what it must not send. */
  onClose(reason: string, failed: boolean): void;
}

/**
 * Frames over one socket. Writing is by demand: while the kernel has not taken the last piece, nothing more is asked
 * of `takeFrames`, so that what waits for a slow peer stays where it is counted and can be dropped, and everything that
 * came together meanwhile leaves in one write.
 */
export class FrameStream {
  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #events: FrameStreamEvents;
  readonly #reader = new FrameReader(helloBytesMax);
  #unwritten: Buffer[] = [];
  #state: 'open' | 'ending' | 'closed' = 'open';
  #failed = false;
  #endReason: string | undefined;
  #cancelEnding: CancelTimer | undefined;
  #flushScheduled: 'no' | 'soon' | 'atEndOfTurn' = 'no';
  #writeStartedMs: number | undefined;
  #writeWaits = false;
  #writingBytes = 0;
  /** When the other side last showed a sign of life: bytes from it, or a write that had waited for it. */
  #aliveMs: number;
  /** Silence before that time is not held against the other side. */
  #forgivenMs = -Infinity;
  /** When it was first asked for a sign that it has not given since. */
  #askedMs: number | undefined;

  constructor(socket: Duplex, clock: Clock, events: FrameStreamEvents) {
    this.#socket = socket;
    this.#clock = clock;
    this.#events = events;
    this.#aliveMs = clock.monotonicMs();
    socket.on('error', (error) => this.close(describeError(error)));
    socket.on('close', () => this.close('the connection was closed'));
    socket.on('end', () => this.close('the other side closed the connection'));
  }

  /** Begins to read; `head` is what came before. */
  start(head: Buffer): void {
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    if (head.length > 0) this.#onData(head);
  }

  /** The hello is done: longer frames may come. */
  allowBodies(bodyBytesMax: number): void {
    this.#reader.bodyBytesMax = bodyBytesMax;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get aliveMs(): number {
    return this.#aliveMs;
  }

  /** Bytes taken from `takeFrames` that the kernel has not taken. */
  get writingBytes(): number {
    return this.#writingBytes + totalBytes(this.#unwritten);
  }

  /** Writes what there is at once. For what somebody waits for while this side has much else to do in this turn. */
  write(): void {
    if (this.#writeStartedMs === undefined) this.#flush();
  }

  /** Writes once the present stack and the promises that it settled have run: what they said leaves together. */
  writeSoon(): void {
    if (this.#flushScheduled === 'soon' || this.#writeStartedMs !== undefined) return;
    this.#flushScheduled = 'soon';
    process.nextTick(() => this.#flush());
  }

  /** Writes at the end of the turn: what all the handlers of this turn said leaves together. */
  writeAtEndOfTurn(): void {
    if (this.#flushScheduled !== 'no' || this.#writeStartedMs !== undefined) return;
    this.#flushScheduled = 'atEndOfTurn';
    this.#clock.endOfTurn(() => this.#flush());
  }

  /** Something was just written that the other side answers at once. */
  expectSign(): void {
    this.#askedMs ??= this.#clock.monotonicMs();
  }

  /** Milliseconds that the other side owes an answer, or room for a write; 0 if it owes nothing. */
  overdueMs(): number {
    const since = Math.min(this.#askedMs ?? Infinity, this.#writeStartedMs ?? Infinity);
    if (since === Infinity) return 0;
    return this.#clock.monotonicMs() - Math.max(since, this.#aliveMs, this.#forgivenMs);
  }

  /** Milliseconds without a sign of life, owed or not. */
  silentMs(): number {
    return this.#clock.monotonicMs() - Math.max(this.#aliveMs, this.#forgivenMs);
  }

  /** Time did not pass as it should on this side: the other side gets all its time again. */
  forgiveSilence(): void {
    this.#forgivenMs = this.#clock.monotonicMs();
  }

  /** Says one last thing, and closes when it is written. */
  endWith(frame: Buffer, reason: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#endReason = reason;
    // Half a frame may have been written.
    for (const piece of this.#unwritten) this.#socket.write(piece);
    this.#unwritten = [];
    this.#cancelEnding = this.#clock.setTimer(lastWordsMs, () => this.close(reason));
    this.#socket.end(frame, () => this.close(reason));
  }

  /** Closes because of what the other side sent. */
  fail(reason: string): void {
    this.#failed = true;
    this.close(reason);
  }

  close(reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#cancelEnding?.();
    this.#unwritten = [];
    this.#socket.destroy();
    this.#events.onClose(this.#endReason ?? reason, this.#failed);
  }

  #onData(chunk: Buffer): void {
    this.#aliveMs = this.#clock.monotonicMs();
    this.#askedMs = undefined;
    if (this.#state !== 'open') return;
    this.#events.onTraffic?.(chunk.length, 0);
    this.#reader.feed(chunk);
    while (this.#state === 'open') {
      const body = this.#reader.next();
      if (body === undefined) return;
      if (typeof body === 'string') this.fail(body);
      else this.#events.onBody(body);
    }
  }

  #flush(): void {
    this.#flushScheduled = 'no';
    if (this.#state !== 'open' || this.#writeStartedMs !== undefined) return;
    if (this.#unwritten.length === 0) this.#unwritten.push(...this.#events.takeFrames());
    const pieces = takeUpTo(this.#unwritten, writeBytesMax);
    const last = pieces.pop();
    if (last === undefined) return;
    this.#writingBytes = totalBytes(pieces) + last.length;
    this.#events.onTraffic?.(0, this.#writingBytes);
    this.#writeStartedMs = this.#clock.monotonicMs();
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.write(last, () => this.#onWritten());
    this.#socket.uncork();
    this.#writeWaits = this.#socket.writableLength > 0;
  }

  #onWritten(): void {
    this.#writeStartedMs = undefined;
    this.#writingBytes = 0;
    // The kernel's buffer was full, and some of it was acknowledged: a peer that is slow to take much is not dead.
    if (this.#writeWaits) this.#aliveMs = this.#clock.monotonicMs();
    this.#flush();
  }
}

/** Removes buffers from the front until `bytesMax` are together; a buffer that does not fit is cut. */
function takeUpTo(buffers: Buffer[], bytesMax: number): Buffer[] {
  let taken = 0;
  let whole = 0;
  for (; whole < buffers.length; whole++) {
    const length = (buffers[whole] as Buffer).length;
    if (taken + length > bytesMax) break;
    taken += length;
  }
  const result = buffers.splice(0, whole);
  const next = buffers[0];
  if (next !== undefined && taken < bytesMax) {
    result.push(next.subarray(0, bytesMax - taken));
    buffers[0] = next.subarray(bytesMax - taken);
  }
  return result;
}

function totalBytes(buffers: readonly Buffer[]): number {
  let total = 0;
  for (const buffer of buffers) total += buffer.length;
  return total;
}
