import yargs, { type Argv } from 'yargs';
import { BalsaError } from '../client/index.ts';
import { version } from '../server/version.ts';
import { clusterCommand } from './commands/cluster.ts';
import { compactCommand } from './commands/compact.ts';
import { delCommand } from './commands/del.ts';
import { getCommand } from './commands/get.ts';
import { leaderActionNames, leaderCommand } from './commands/leader.ts';
import { leaseActionNames, leaseCommand } from './commands/lease.ts';
import { listCommand } from './commands/list.ts';
import { memberActionNames, memberCommand } from './commands/member.ts';
import { putCommand } from './commands/put.ts';
import { recoverCommand } from './commands/recover.ts';
import { serveCommand } from './commands/serve.ts';
import { snapshotActionNames, snapshotCommand } from './commands/snapshot.ts';
import { statusCommand } from './commands/status.ts';
import { txnCommand } from './commands/txn.ts';
import { versionCommand } from './commands/version.ts';
import { watchCommand } from './commands/watch.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { markLiterals, unmarkLiterals } from './literal-arguments.ts';
import { flushOutput } from './output.ts';
import { commandOf, usageProblem } from './usage-problem.ts';

const commands = [
  serveCommand,
  clusterCommand,
  putCommand,
  getCommand,
  delCommand,
  listCommand,
  watchCommand,
  txnCommand,
  leaseCommand,
  compactCommand,
  memberCommand,
  leaderCommand,
  snapshotCommand,
  recoverCommand,
  statusCommand,
  versionCommand,
] as const;

/** Those with actions have two words. */
const commandNames = [
  ...commands.map((command) => String(command.command).split(' ')[0] ?? ''),
  ...leaseActionNames.map((action) => `lease ${action}`),
  ...memberActionNames.map((action) => `member ${action}`),
  ...leaderActionNames.map((action) => `leader ${action}`),
  ...snapshotActionNames.map((action) => `snapshot ${action}`),
];

/** Commands that may have written when they fail. */
const writes: ReadonlySet<string> = new Set([
  'put',
  'del',
  'txn',
  'compact',
  'lease grant',
  'lease revoke',
  'member add',
  'member promote',
  'member remove',
  'member update',
  'member replace',
  'leader transfer',
]);

process.exit(await main(process.argv.slice(2)));

/** Runs one command; the exit code. Data goes to standard output, everything said to people to standard error. */
async function main(given: readonly string[]): Promise<number> {
  try {
    await program(await normalize(given)).parseAsync();
    await flushOutput();
    return exitCodes.ok;
  } catch (reason) {
    return report(reason, commandOf(given, commandNames));
  }
}

async function normalize(given: readonly string[]): Promise<readonly string[]> {
  const [command, ...rest] = given;
  if (command !== 'serve') return markLiterals(given);
  const { normalizeEtcdArguments } = await import('./etcd-arguments.ts');
  return [command, ...normalizeEtcdArguments(rest)];
}

function program(given: readonly string[]): Argv {
  const built = yargs([...given])
    .scriptName('balsa')
    // The texts around ours are English whatever the locale, so that a line is not half in one language.
    .locale('en')
    .usage('$0 <command>\n\nA replicated key-value server, and commands to use it.')
    .epilogue('balsa <command> --help shows the flags of a command, with examples.')
    .version(version)
    .alias('help', 'h')
    .wrap(Math.min(110, process.stdout.columns || 110))
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      // As in Go's flag package: the last one counts.
      'duplicate-arguments-array': false,
    })
    .middleware(unmarkLiterals)
    .exitProcess(false)
    .strict()
    .demandCommand(1, 1, 'say what to do: balsa serve runs a server, balsa --help lists all commands')
    .fail((message, error) => {
      // Its own errors are about the usage, too; all others come out of a command.
      if (error !== undefined && error.name !== 'YError') throw error;
      throw new CommandError(usageProblem(message, given, commandNames));
    });
  for (const command of commands) built.command(command as typeof serveCommand);
  return built;
}

function report(reason: unknown, command: string | undefined): number {
  if (reason instanceof CommandError) {
    process.stderr.write(`balsa: ${reason.message}\n`);
    return reason.exitCode;
  }
  if (reason instanceof BalsaError) {
    process.stderr.write(`balsa: ${reason.code}: ${reason.detail}\n`);
    return exitCodeOf(reason, command);
  }
  process.stderr.write(`balsa: ${reason instanceof Error ? reason.stack : String(reason)}\n`);
  return exitCodes.internal;
}

function exitCodeOf(reason: BalsaError, command: string | undefined): number {
  if (reason.code === 'key_not_found') return exitCodes.keyNotFound;
  if (reason.code === 'precondition_failed') return exitCodes.conditionFailed;
  const isWrite = command !== undefined && writes.has(command);
  return isWrite && !reason.kind.definite ? exitCodes.outcomeUnknown : exitCodes.failed;
}
