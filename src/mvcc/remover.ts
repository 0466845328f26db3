import type { Revision } from '../contract/kv.ts';
import { decodeChanges } from './change-log.ts';
import { historyKey } from './history-table.ts';
import { TableKey } from './key-space.ts';
import { MergedScan, type Moment } from './merged-scan.ts';
import type { Tables } from './tables.ts';

/** Chunks of changes that are removed in one step; each step is followed by a turn of the event loop. */
const chunksPerStep = 4;
/** Above it the disk has enough to do; then the rest waits for it. */
const bufferedBytesMax = 4 * 1024 * 1024;

/**
 * Takes from the disk what compaction has forgotten: the versions that ended at the compact revision or before, and the
 * list of changes before it. Every change names the version that it ended, so the work is that of the changes, whatever
 * the number of keys. Of this member's own, and never hurried.
 */
export class Remover {
  readonly #tables: Tables;
  readonly #moment: () => Moment;
  readonly #isOver: () => boolean;
  #run: Promise<void> | undefined;

  constructor(tables: Tables, moment: () => Moment, isOver: () => boolean) {
    this.#tables = tables;
    this.#moment = moment;
    this.#isOver = isOver;
  }

  get isBusy(): boolean {
    return this.#run !== undefined;
  }

  /** Goes on where it was, if there is anything to do. Rejects through `onFailure` only. */
  wake(onFailure: (reason: unknown) => void): void {
    const { removedRevision, compactRevision } = this.#tables.state;
    if (this.#run !== undefined || removedRevision >= compactRevision || this.#isOver()) return;
    this.#run = this.#remove(compactRevision)
      .catch(onFailure)
      .finally(() => {
        this.#run = undefined;
      });
  }

  /** Resolves when it does nothing any more. */
  async ended(): Promise<void> {
    await this.#run;
  }

  async #remove(compactRevision: Revision): Promise<void> {
    const { keySpace, buffer } = this.#tables;
    const moment = this.#moment();
    const scan = new MergedScan(moment, {
      range: keySpace.wholeTable('changes'),
      reverse: false,
      records: true,
      entriesWanted: chunksPerStep,
    });
    try {
      for (let slice = await scan.next(); slice.length > 0; slice = await scan.next()) {
        for (const { key, record } of slice) {
          if (this.#isOver() || !this.#removeChunk(key, record, compactRevision)) return;
        }
        if (this.#isOver()) return;
        buffer.scheduleFlush();
        if (buffer.bytes > bufferedBytesMax) await buffer.makeRoom(bufferedBytesMax);
      }
    } finally {
      buffer.scheduleFlush();
      await scan.close();
      await moment.snapshot.close();
    }
  }

  /** False once it has come to what is kept. */
  #removeChunk(key: Buffer, record: Buffer, compactRevision: Revision): boolean {
    const { keySpace, buffer, state } = this.#tables;
    const { changes } = decodeChanges(key, record);
    for (const change of changes) {
      if (change.revision > compactRevision) break;
      if (change.revision < state.removedRevision || change.previousRevision === 0) continue;
      // Put and deleted by the compact revision itself: whoever watches from there is still told of both.
      if (change.previousRevision === compactRevision) continue;
      buffer.delete(historyKey(keySpace, change.key, change.previousRevision));
    }
    const last = changes.at(-1)?.revision ?? 0;
    this.#tables.state.removedRevision = Math.min(last, compactRevision);
    // What happened at the compact revision can still be watched.
    if (last >= compactRevision) return false;
    buffer.delete(new TableKey(key));
    return true;
  }
}
