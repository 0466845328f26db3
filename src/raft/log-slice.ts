import type { Entry } from './types.ts';

/** Consecutive entries for one append. */
export interface LogSlice {
  readonly entries: readonly Entry[];
  /** Of their data. */
  readonly bytes: number;
  /** They end before the log and before the limit, because the rest has to come from disk: go on later. */
  readonly isShort: boolean;
}

export const emptySlice: LogSlice = { entries: [], bytes: 0, isShort: false };

/** As many of `entries` from `from` on as fit, and at least one. */
export function takeBytes(entries: readonly Entry[], from: number, bytesMax: number): LogSlice {
  let bytes = 0;
  let end = from;
  for (; end < entries.length; end++) {
    const length = entries[end]?.data.length ?? 0;
    if (bytes + length > bytesMax && end > from) break;
    bytes += length;
  }
  const taken = from === 0 && end === entries.length ? entries : entries.slice(from, end);
  return { entries: taken, bytes, isShort: false };
}

/** `head`, and as many of the `entries` behind it as still fit. */
export function joined(head: LogSlice, entries: readonly Entry[], bytesMax: number): LogSlice {
  if (head.bytes + (entries[0]?.data.length ?? 0) > bytesMax || entries.length === 0) return head;
  const tail = takeBytes(entries, 0, bytesMax - head.bytes);
  return { entries: [...head.entries, ...tail.entries], bytes: head.bytes + tail.bytes, isShort: false };
}

export function dataBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const { data } of entries) bytes += data.length;
  return bytes;
}
