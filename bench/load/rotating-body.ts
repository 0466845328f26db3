import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { keyCount, keyDigits, keyOf } from '../keys.ts';

/**
 * Often enough for many keys in a run, seldom enough not to take the processor away from the cluster that is measured:
 * a wake-up of this process costs about 50 µs, so this is about 1 % of one core.
 */
const rotationMillis = 4;

/** Coprime to the number of keys: all of them come up before one comes up again, and neighbours in time are far apart. */
const stride = 7919;

/**
 * A request body whose key changes while h2load runs. h2load has one body file for all requests of a run, but reads it
 * anew for each of them (`file_read_callback` in h2load_http2_session.cc: pread). Only the key's digits are written over;
 * a request that catches the middle of such a write carries another of the keys.
 */
export class RotatingBody implements Disposable {
  readonly path: string;
  readonly #fd: number;
  readonly #digitsAt: number;
  readonly #timer: NodeJS.Timeout;
  #key: number;

  constructor(path: string, bodyOf: (key: string) => Buffer, firstKey: number) {
    const body = bodyOf(keyOf(firstKey % keyCount));
    this.#key = firstKey % keyCount;
    this.#digitsAt = body.indexOf(keyDigits(this.#key));
    this.path = path;
    writeFileSync(path, body);
    this.#fd = openSync(path, 'r+');
    this.#timer = setInterval(() => this.#rotate(), rotationMillis);
  }

  #rotate(): void {
    this.#key = (this.#key + stride) % keyCount;
    writeSync(this.#fd, keyDigits(this.#key), this.#digitsAt, 'latin1');
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    closeSync(this.#fd);
  }
}
