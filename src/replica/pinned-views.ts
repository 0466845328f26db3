import type { CancelTimer, Clock } from '../base/clock.ts';
import { BalsaError } from '../contract/errors.ts';
import type { KeyRange, Revision } from '../contract/kv.ts';
import type { ReadView } from '../mvcc/index.ts';

/** What the pages of one list share. */
export interface PinnedList {
  readonly view: ReadView;
  readonly revision: Revision;
  readonly range: KeyRange;
  readonly keysOnly: boolean;
  readonly order: 'asc' | 'desc';
  readonly count: number;
}

interface Pin {
  readonly list: PinnedList;
  lastUsedMs: number;
}

/** An open view keeps LevelDB from reclaiming what was overwritten since: few, and not for long. */
const pinsMax = 64;
const idleMs = 60_000;

/**
 * The views behind lists that are read page by page, so that all pages show one revision. A page is continued on the
 * member that began it, within a minute of the page before.
 */
export class PinnedViews {
  readonly #clock: Clock;
  /** Tells tokens of this process from those of another member, and from those before a restart. */
  readonly #origin: string;
  readonly #pins = new Map<number, Pin>();
  #lastId = 0;
  #cancelSweep: CancelTimer | undefined;

  constructor(clock: Clock, origin: string) {
    this.#clock = clock;
    this.#origin = origin;
  }

  get size(): number {
    return this.#pins.size;
  }

  /** Takes the list's view over; returns the token of the page that starts at `next`. */
  pin(list: PinnedList, next: Uint8Array): string {
    const id = ++this.#lastId;
    this.#pins.set(id, { list, lastUsedMs: this.#clock.monotonicMs() });
    if (this.#pins.size > pinsMax) this.#unpinOldest();
    this.#cancelSweep ??= this.#clock.setTimer(idleMs / 4, () => this.#sweep());
    return this.token(id, next);
  }

  token(id: number, next: Uint8Array): string {
    return `${this.#origin}.${id}.${Buffer.from(next).toString('base64url')}`;
  }

  /** Rejects a token that is malformed (`bad_request`) or no longer kept (`compacted`). */
  resume(token: string): { readonly id: number; readonly list: PinnedList; readonly next: Uint8Array } {
    const [origin, idText, nextText, ...rest] = token.split('.');
    if (origin === undefined || idText === undefined || nextText === undefined || rest.length > 0) {
      throw new BalsaError('bad_request', '`after` must be the `next` of the page before, as it was given.', {
        extras: { parameter: 'after' },
      });
    }
    const id = Number(idText);
    const pin = origin === this.#origin ? this.#pins.get(id) : undefined;
    if (pin === undefined) throw forgotten();
    pin.lastUsedMs = this.#clock.monotonicMs();
    return { id, list: pin.list, next: Buffer.from(nextText, 'base64url') };
  }

  unpin(id: number): void {
    const pin = this.#pins.get(id);
    this.#pins.delete(id);
    void pin?.list.view.close();
  }

  close(): void {
    this.#cancelSweep?.();
    for (const id of [...this.#pins.keys()]) this.unpin(id);
  }

  #unpinOldest(): void {
    let oldest: [number, Pin] | undefined;
    for (const entry of this.#pins) {
      if (oldest === undefined || entry[1].lastUsedMs < oldest[1].lastUsedMs) oldest = entry;
    }
    if (oldest !== undefined) this.unpin(oldest[0]);
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    const now = this.#clock.monotonicMs();
    for (const [id, pin] of this.#pins) if (now - pin.lastUsedMs >= idleMs) this.unpin(id);
    if (this.#pins.size > 0) this.#cancelSweep = this.#clock.setTimer(idleMs / 4, () => this.#sweep());
  }
}

function forgotten(): BalsaError {
  return new BalsaError(
    'compacted',
    'The revision of the first page is no longer kept: pages have to be read within a minute of each other, from one ' +
      'member. Start the list again, or read it in one go with `Accept: application/x-ndjson`.',
  );
}
