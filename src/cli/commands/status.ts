import type { CommandModule } from 'yargs';
import { milliseconds } from '../argument-values.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { complaint, type MemberRow, type Survey, survey } from '../cluster-survey.ts';
import { colorsFor } from '../colors.ts';
import { CommandError } from '../exit-codes.ts';
import { type OutputFormat, write } from '../output.ts';
import { statusTable } from '../status-table.ts';
import { untilStopped } from '../until-stopped.ts';

interface StatusArguments extends ClientArguments {
  readonly watch: boolean | undefined;
  readonly interval: string;
}

/** Shows every member, also those that do not answer; ends with 1 if there is one or if there is no leader. */
export const statusCommand: CommandModule<object, StatusArguments> = {
  command: 'status',
  describe: 'Show all members of the cluster and what is wrong with them',
  builder: (program) =>
    withClientOptions(program)
      .option('watch', { alias: 'w', type: 'boolean', describe: 'Show it again and again, until Ctrl-C' })
      .option('interval', {
        type: 'string',
        requiresArg: true,
        default: '2s',
        describe: 'Time between two looks with --watch',
      })
      .example('$0 status', 'asks any member for the others, and each of them for its state')
      .example('$0 status --watch', 'the same, as it changes')
      .example('$0 status -o json | jq .members[].errors', 'for programs')
      .example('$0 status -o simple', 'name, state and URL, separated by tabs'),
  handler: async (given) => {
    const client = openClient(given);
    if (given.watch === true) {
      const intervalMs = milliseconds('interval', given.interval);
      await untilStopped((signal) => showAgain((last) => survey(client, last), given.output, intervalMs, signal));
      return;
    }
    const found = await survey(client);
    await write(shown(found, given.output));
    const wrong = complaint(found);
    if (wrong !== undefined) throw new CommandError(wrong);
  },
};

/** On a terminal each picture takes the place of the one before; elsewhere they follow each other. */
async function showAgain(
  look: (last: Survey | undefined) => Promise<Survey>,
  format: OutputFormat | undefined,
  intervalMs: number,
  signal: AbortSignal,
): Promise<void> {
  const isPicture = process.stdout.isTTY === true && format !== 'json' && format !== 'simple';
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  if (isPicture) await write(hideCursor);
  let last: Survey | undefined;
  while (!signal.aborted) {
    const found = await Promise.race([look(last), stopped]);
    if (found === undefined) break;
    last = found;
    const text = shown(found, format);
    await write(isPicture ? `${home}${text.replaceAll('\n', `${clearLine}\n`)}${clearBelow}` : text);
    await Promise.race([new Promise((resolve) => setTimeout(resolve, intervalMs)), stopped]);
  }
  if (isPicture) await write(showCursor);
}

/** ECMA-48. Lines are cleared as they are written, not the screen before them: that would flicker. */
const home = '\u001B[H';
const clearLine = '\u001B[K';
const clearBelow = '\u001B[J';
const hideCursor = '\u001B[2J\u001B[?25l';
const showCursor = '\u001B[?25h';

function shown(found: Survey, format: OutputFormat | undefined): string {
  const { cluster, rows } = found;
  switch (format) {
    case 'json': {
      const members = rows.map(rowJson);
      return `${JSON.stringify({ clusterId: cluster?.clusterId ?? null, leader: cluster?.leader ?? null, members })}\n`;
    }
    case 'simple':
      return rows.map((row) => `${row.name}\t${row.status?.state ?? 'unreachable'}\t${row.endpoint}\n`).join('');
    default:
      return statusTable(found, colorsFor(process.stdout, process.env));
  }
}

function rowJson({ status, id, ...row }: MemberRow): Readonly<Record<string, unknown>> {
  return { ...row, memberId: id, ...status, state: status?.state ?? 'unreachable', errors: row.errors };
}
