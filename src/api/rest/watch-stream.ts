import type { ServerResponse } from 'node:http';
import type { BalsaError } from '../../contract/errors.ts';
import type { Revision } from '../../contract/kv.ts';
import type { WatchBatch } from '../../contract/watch.ts';
import type { Watch, WatchSink } from '../../replica/service.ts';
import type { WatchFormat } from './watch-format.ts';

/** Where a stream stands. `opening`: the watch may tell things already, but the headers of the answer are not sent. */
type State = 'opening' | 'open' | 'over';

/**
 * What may wait for a socket, beside one batch. Far less than Node's own mark (16 KiB, and 64 KiB from Node.js 22 on),
 * because what a watcher cannot take now is read for it alone later, and a thousand may stop reading.
 */
const waitingBytesMax = 4 * 1024;

/**
 * One watch, written to its client. A client that does not read costs a few KiB and the batch that was too much for its
 * socket: until these are gone the watch keeps only its place in the history. A client that does not read for the
 * server's `idleTimeoutMs` loses its connection, as on any other request.
 */
export class WatchStream implements WatchSink {
  readonly #response: ServerResponse;
  readonly #format: WatchFormat;
  readonly #progressMs: number;
  #state: State = 'opening';
  #watch: Watch | undefined;
  /** What came while `opening`: a batch at most, because the answer to it was `false`. */
  #held: WatchBatch | undefined;
  #heldEnd: BalsaError | undefined;
  /** Enough waits for the socket. */
  #isFull = false;
  readonly #onWritten = (): void => this.#written();
  /** Everything up to this revision has been written; only grows. */
  #told: Revision = 0;
  /** Something was written since the last turn of the timer, which is as good as progress. */
  #hasWritten = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, format: WatchFormat, { progressMs }: { readonly progressMs: number }) {
    this.#response = response;
    this.#format = format;
    this.#progressMs = progressMs;
    response.once('close', () => this.#close());
    // A write that races with the end of the connection; 'close' follows.
    response.on('error', () => {});
  }

  /**
   * Sends the headers, the revision that the events come after, and what the watch has told meanwhile.
   *
   * @param after Everything up to this revision counts as told: the client can begin again behind it.
   */
  open(watch: Watch, headers: Readonly<Record<string, string>>, after: Revision): void {
    this.#watch = watch;
    if (this.#state === 'over') {
      watch.close();
      return;
    }
    this.#state = 'open';
    this.#response.writeHead(200, headers);
    this.#tell(after);
    // Before an end that was told at once there was no beginning: the revision may be compacted.
    if (this.#heldEnd === undefined) this.#write(this.#format.progress(after));
    this.#timer = setInterval(() => this.#turn(), this.#progressMs);
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && this.onBatch(held)) watch.resume();
    if (this.#heldEnd !== undefined) this.end(this.#heldEnd);
  }

  onBatch(batch: WatchBatch): boolean {
    if (this.#state === 'opening') {
      this.#held = batch;
      return false;
    }
    this.#tell(batch.revision);
    return this.#write(batch.encoded(this.#format.change));
  }

  onProgress(revision: Revision): boolean {
    this.#tell(revision);
    return !this.#isFull;
  }

  onEnd(error: BalsaError): void {
    if (this.#state === 'opening') this.#heldEnd = error;
    else this.end(error);
  }

  /** Says why, and ends the answer. Idempotent. */
  end(error: BalsaError): void {
    if (this.#state === 'over') return;
    const isOpen = this.#state === 'open';
    this.#close();
    if (isOpen && !this.#response.destroyed) this.#response.end(this.#format.end(error));
  }

  #close(): void {
    this.#state = 'over';
    this.#held = undefined;
    clearInterval(this.#timer);
    this.#watch?.close();
  }

  #turn(): void {
    if (!this.#hasWritten && !this.#isFull) this.#write(this.#format.progress(this.#told));
    this.#hasWritten = false;
  }

  #tell(revision: Revision): void {
    if (revision > this.#told) this.#told = revision;
  }

  #write(message: string | Buffer): boolean {
    if (this.#state !== 'open' || this.#response.destroyed) return false;
    this.#hasWritten = true;
    this.#response.write(message, this.#onWritten);
    this.#isFull = this.#response.writableLength > waitingBytesMax;
    return !this.#isFull;
  }

  #written(): void {
    if (!this.#isFull || this.#response.writableLength > waitingBytesMax) return;
    this.#isFull = false;
    this.#watch?.resume();
  }
}
