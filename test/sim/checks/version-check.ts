import { type Command, decodeCommands } from '../../../src/mvcc/command.ts';
import { decodeConfigurationData, type MemberId } from '../../../src/raft/index.ts';
import { parseLogKey } from '../../../src/storage/log-keys.ts';
import { decodeChainedEntry } from '../../../src/storage/log-records.ts';
import type { Operation } from '../world/volume.ts';
import { Violation } from './violation.ts';

/** Removals apart: those who are down do not hold them back, and who is down the leader may be wrong about. */
const newCommands: ReadonlySet<string> = new Set<Command['kind']>([
  'memberAdd',
  'memberUpdate',
  'memberPromoted',
  'clusterVersion',
]);

/** What a batch brings into a log has to be understood by all who will read it, also by these. Throws a `Violation`. */
export function checkVersions(operations: readonly Operation[], [old]: readonly { readonly id: MemberId }[]): void {
  for (const [name, value] of operations) {
    const entry = isEntry(name) && value !== undefined ? decodeChainedEntry(value)?.entry : undefined;
    if (entry === undefined || entry.type === 'noop') continue;
    const { context = entry.data } = (entry.type === 'configuration' && decodeConfigurationData(entry.data)) || {};
    const commands = context.length === 0 ? [] : decodeCommands(context);
    const later = commands.find(({ kind }) => newCommands.has(kind));
    if (old === undefined || later === undefined) continue;
    throw new Violation('mixed versions', `entry ${entry.index} is ${later.kind}, which ${old.id} does not understand`);
  }
}

function isEntry(name: string): boolean {
  return parseLogKey(Buffer.from(name, 'latin1'))?.kind === 'entry';
}
