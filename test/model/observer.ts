import type { BalsaError } from '../../src/contract/errors.ts';
import type { Revision } from '../../src/contract/kv.ts';
import type { WatchBatch } from '../../src/contract/watch.ts';
import type { WatchSink } from '../../src/mvcc/index.ts';
import type { Sighting } from './watch-checker.ts';

/** Writes down what a watch is told. `takes` says whether it can take more; a slow reader says no now and then. */
export class Observer implements WatchSink {
  readonly seen: Sighting[] = [];
  readonly #takes: () => boolean;
  readonly #onEnded: () => void;
  error: BalsaError | undefined;
  /** It said that it cannot take more, and waits to be resumed. */
  isPaused = false;
  /** What is told now is told to nobody: the reader has gone. */
  isClosed = false;

  constructor(takes: () => boolean = () => true, onEnded: () => void = () => {}) {
    this.#takes = takes;
    this.#onEnded = onEnded;
  }

  close(): void {
    this.isClosed = true;
  }

  get batches(): readonly Extract<Sighting, { kind: 'batch' }>[] {
    return this.seen.filter((one) => one.kind === 'batch');
  }

  onBatch({ revision, events }: WatchBatch): boolean {
    if (this.isPaused || this.isClosed) throw new Error('told more than it can take');
    this.seen.push({ kind: 'batch', revision, events });
    this.isPaused = !this.#takes();
    return !this.isPaused;
  }

  onProgress(revision: Revision): boolean {
    this.seen.push({ kind: 'progress', revision });
    this.isPaused = !this.#takes();
    return !this.isPaused;
  }

  onEnd(error: BalsaError): void {
    this.error = error;
    const { compactRevision } = error.extras;
    if (error.code === 'compacted') this.seen.push({ kind: 'compacted', compactRevision: Number(compactRevision) });
    else this.seen.push({ kind: 'broken' });
    this.#onEnded();
  }
}
