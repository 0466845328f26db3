import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { keyCount } from '../keys.ts';

/**
 * Often enough for many keys in a run, seldom enough not to take the processor away from the cluster that is measured:
 * a wake-up of this process costs about 50 µs, so this is about 1 % of one core.
 */
const rotationMillis = 4;

/** Coprime to the number of keys: all of them come up before one comes up again, and neighbours in time are far apart. */
const stride = 7919;

/**
 * A request body whose keys change while h2load runs. h2load has one body file for all requests of a run, but reads it
 * anew for each of them (`file_read_callback` in h2load_http2_session.cc: pread). All bodies differ in the digits of
 * their keys alone; a request that catches the middle of such a write, for some nanoseconds, carries other keys, or reads
 * from the beginning of one prefix to the end of another.
 */
export class RotatingBody implements Disposable {
  readonly path: string;
  readonly #bodyOf: (index: number) => Buffer;
  readonly #fd: number;
  readonly #bytes: number;
  readonly #timer: NodeJS.Timeout;
  #index: number;

  constructor(path: string, bodyOf: (index: number) => Buffer, firstIndex: number) {
    this.#index = firstIndex % keyCount;
    this.#bodyOf = bodyOf;
    const body = bodyOf(this.#index);
    this.#bytes = body.length;
    this.path = path;
    writeFileSync(path, body);
    this.#fd = openSync(path, 'r+');
    this.#timer = setInterval(() => this.#rotate(), rotationMillis);
  }

  #rotate(): void {
    this.#index = (this.#index + stride) % keyCount;
    const body = this.#bodyOf(this.#index);
    if (body.length !== this.#bytes) throw new Error(`a body of ${body.length} bytes cannot replace ${this.#bytes}`);
    writeSync(this.#fd, body, 0, body.length, 0);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    closeSync(this.#fd);
  }
}
