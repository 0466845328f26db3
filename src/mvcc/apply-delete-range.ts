import type { Tables } from './apply.ts';
import { type Command, deleteRangeLimits } from './command.ts';
import type { KeySpace } from './key-space.ts';
import { Layer } from './layer.ts';
import { MergedScan, type Moment } from './merged-scan.ts';
import type { CommandResult } from './result.ts';
import type { WriteBuffer } from './write-buffer.ts';

export type DeleteRange = Extract<Command, { kind: 'deleteRange' }>;

/**
 * The first half of deleting a range: LevelDB lists keys only asynchronously, so the deletions collect in a layer on
 * the side while the event loop runs. Changes nothing. Undefined if there are more than the command may delete.
 */
export async function listDeletions(
  moment: Moment,
  keySpace: KeySpace,
  command: DeleteRange,
): Promise<Layer | undefined> {
  const deletions = new Layer();
  const range = keySpace.range('current', command.range);
  if (range.gte.name >= range.lt.name) return deletions;

  const { keysMax, keyBytesMax } = limitsOf(command);
  const scan = new MergedScan(moment, { range, reverse: false, records: false, entriesWanted: keysMax + 1 });
  try {
    for (let slice = await scan.next(); slice.length > 0; slice = await scan.next()) {
      for (const { key } of slice) deletions.set(key.toString('latin1'), null);
      const keyBytes = deletions.bytes - prefixBytes * deletions.size;
      if (deletions.size > keysMax || keyBytes > keyBytesMax) return undefined;
    }
  } finally {
    await scan.close();
  }
  return deletions;
}

/** The second half: all deletions take effect at once, in one revision. The store is as it was when they were listed. */
export function applyDeletions(
  tables: Tables,
  buffer: WriteBuffer,
  command: DeleteRange,
  deletions: Layer | undefined,
): CommandResult {
  if (deletions === undefined) return { kind: 'rangeTooLarge', revision: tables.revision, ...limitsOf(command) };

  const deleted = deletions.size;
  if (deleted > 0) {
    buffer.addLayer(deletions);
    tables.revision++;
    tables.keyCount -= deleted;
  }
  return { kind: 'delete', revision: tables.revision, deleted, previous: undefined };
}

function limitsOf(command: DeleteRange): { keysMax: number; keyBytesMax: number } {
  const { keysMax = deleteRangeLimits.keysMax, keyBytesMax = deleteRangeLimits.keyBytesMax } = command;
  return { keysMax, keyBytesMax };
}

/** Group and table are no part of the keys that the limit is about. */
const prefixBytes = 5;
