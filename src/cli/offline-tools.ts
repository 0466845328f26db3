import type { Argv } from 'yargs';
import type * as Offline from '../server/offline.ts';
import { CommandError } from './exit-codes.ts';

export type OfflineTools = typeof Offline;

/**
 * Runs what works on files and data directories. It is loaded here, because the commands for scripts do without LevelDB;
 * what can be expected to fail there ends the command with one line.
 */
export async function withOfflineTools<Result>(run: (tools: OfflineTools) => Promise<Result>): Promise<Result> {
  const tools = await import('../server/offline.ts');
  // A server's timers keep no process alive, and a store that is read to its end may wait for nothing else.
  const staying = setInterval(() => undefined, 60_000);
  try {
    return await run(tools);
  } catch (reason) {
    const line = tools.expectedFailure(reason);
    throw line === undefined ? reason : new CommandError(line);
  } finally {
    clearInterval(staying);
  }
}

/** Flags of `balsa serve` that say which member of which cluster a directory is for. */
const memberFlags = {
  'data-dir': 'The data directory of the member (BALSA_DATA_DIR)',
  name: 'Name of the member (BALSA_NAME)',
  'initial-cluster': 'All members of the new cluster, as NAME=URL,…; without it, this member alone',
  'initial-cluster-token': 'Tells clusters apart that are restored with the same addresses',
  'initial-advertise-peer-urls': 'Where the other members reach this one',
  'config-file': 'The configuration file of the member, which has any of these',
} as const;

export type MemberFlag = keyof typeof memberFlags;

export type MemberFlags = { readonly [flag in MemberFlag]?: string };

export function withMemberFlags<T>(
  program: Argv<T>,
  flags: readonly MemberFlag[] = Object.keys(memberFlags) as MemberFlag[],
): Argv<T & MemberFlags> {
  for (const flag of flags) program.option(flag, { type: 'string', requiresArg: true, describe: memberFlags[flag] });
  return program as Argv<T & MemberFlags>;
}

/** Those that were given, as `loadConfig` takes them. */
export function givenFlags(given: MemberFlags): Readonly<Record<string, string>> {
  const flags = (Object.keys(memberFlags) as MemberFlag[]).flatMap((flag) => {
    const value = given[flag];
    return value === undefined ? [] : [[flag, value] as const];
  });
  return Object.fromEntries(flags);
}
