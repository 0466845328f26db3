import type { Clock } from '../base/clock.ts';
import type { Database } from './database.ts';
import type { KeySpace } from './key-space.ts';
import { checkSealOnly } from './sealed.ts';

const recordsPerSlice = 500;
const bytesPerSlice = 256 * 1024;

export interface ScrubOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly keySpace: KeySpace;
  readonly pauseMs: number;
  readonly signal: AbortSignal;
}

/**
 * LevelDB does not look for bits that have flipped on the disk; a value that nobody reads could go bad on one member after
 * the other. Past the buffer on purpose: what matters is what the disk holds.
 */
export async function scrub({ database, clock, keySpace, pauseMs, signal }: ScrubOptions): Promise<number> {
  const { gte, lt } = keySpace.wholeGroup();
  let records = 0;
  let from = gte.bytes;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    // An iterator that stays open would keep LevelDB from reclaiming space for as long as the scrub takes.
    const bounds = isFirst ? { gte: from } : { gt: from };
    const options = { ...bounds, lt: lt.bytes, highWaterMarkBytes: bytesPerSlice, fillCache: false };
    const iterator = database.iterator(options);
    const slice = await iterator.nextv(recordsPerSlice);
    await iterator.close();
    for (const [key, record] of slice) checkSealOnly(key, record);
    records += slice.length;
    const last = slice.at(-1);
    if (last === undefined) return records;
    from = last[0];
    await pause(clock, pauseMs, signal);
  }
  return records;
}

function pause(clock: Clock, pauseMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(pauseMs, end);
    function end(): void {
      signal.removeEventListener('abort', end);
      cancel();
      resolve();
    }
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
