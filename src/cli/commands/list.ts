import type { CommandModule } from 'yargs';
import type { KeyValue, ListOptions, RangeSort, RevisionBounds } from '../../client/index.ts';
import { given as option, positive } from '../argument-values.ts';
import {
  type ClientArguments,
  type ConsistencyArguments,
  consistencyOf,
  keyValueHeader,
  keyValueJson,
  openClient,
  withClientOptions,
  withConsistency,
} from '../client-options.ts';
import { CommandError } from '../exit-codes.ts';
import { printable, table, write, writeJson } from '../output.ts';

interface ListArguments extends ClientArguments, ConsistencyArguments {
  readonly prefix: string | undefined;
  readonly start: string | undefined;
  readonly end: string | undefined;
  readonly limit: string | undefined;
  readonly 'keys-only': boolean | undefined;
  readonly 'count-only': boolean | undefined;
  readonly sort: RangeSort | undefined;
  readonly order: 'asc' | 'desc' | undefined;
  readonly rev: string | undefined;
  readonly 'min-mod-rev': string | undefined;
  readonly 'max-mod-rev': string | undefined;
  readonly 'min-create-rev': string | undefined;
  readonly 'max-create-rev': string | undefined;
}

/** Rows that a table is made wide enough for at a time: a list of any length needs the memory of these. */
const tableRows = 1000;

/** Prints keys and values as they were at one revision. */
export const listCommand: CommandModule<object, ListArguments> = {
  command: 'list [prefix]',
  aliases: ['ls'],
  describe: 'Print the keys with a prefix, or all',
  builder: (program) =>
    withConsistency(withClientOptions(program))
      .positional('prefix', { type: 'string', describe: 'The same as --prefix' })
      .option('start', { type: 'string', requiresArg: true, describe: 'The first key, in place of a prefix' })
      .option('end', { type: 'string', requiresArg: true, describe: 'The key to end before' })
      .option('limit', { type: 'string', requiresArg: true, describe: 'At most so many keys' })
      .option('keys-only', { type: 'boolean', describe: 'Without the values' })
      .option('count-only', { type: 'boolean', describe: 'Only the number of keys' })
      .option('sort', {
        type: 'string',
        requiresArg: true,
        choices: ['key', 'modRevision', 'createRevision', 'version', 'value'] as const,
        describe: 'What to sort by',
      })
      .option('order', {
        type: 'string',
        requiresArg: true,
        choices: ['asc', 'desc'] as const,
        describe: 'Direction of the sort',
      })
      .option('rev', { type: 'string', requiresArg: true, describe: 'As it was at this revision' })
      .option('min-mod-rev', {
        type: 'string',
        requiresArg: true,
        describe: 'Only keys changed at this revision or later',
      })
      .option('max-mod-rev', {
        type: 'string',
        requiresArg: true,
        describe: 'Only keys last changed until this revision',
      })
      .option('min-create-rev', { type: 'string', requiresArg: true, describe: 'Only keys created at it or later' })
      .option('max-create-rev', { type: 'string', requiresArg: true, describe: 'Only keys created until it' })
      .example('$0 list config/', 'a table on a terminal; a key, a tab and a value per line elsewhere')
      .example('$0 list --keys-only jobs/ | head', 'one key per line')
      .example('$0 list -o json | jq -r .key', 'a JSON object per line: exact for any bytes')
      .example('$0 list config/ --rev 17', 'the keys and values of revision 17')
      .example('$0 list --sort modRevision --order desc --limit 5', 'what was changed last'),
  handler: async (given) => {
    if (given.prefix !== undefined && (given.start !== undefined || given.end !== undefined)) {
      throw new CommandError('a prefix and --start or --end contradict each other; give one or the other');
    }
    const client = openClient(given);
    const options = optionsOf(given);
    if (given['count-only'] === true && Object.keys(boundsOf(given)).length > 0) {
      throw new CommandError('--count-only counts the whole range; leave it out, or --min-… and --max-…');
    }
    if (given['count-only'] === true) {
      const result = await client.count(options);
      return given.output === 'json' ? writeJson(result) : write(`${result.count}\n`);
    }
    const keysOnly = given['keys-only'] === true;
    const kvs = client.list(options);
    switch (given.output ?? (process.stdout.isTTY ? 'table' : 'simple')) {
      case 'json':
        for await (const kv of kvs) await writeJson(keyValueJson(kv, { keysOnly }));
        return;
      case 'table':
        return writeTable(kvs, keysOnly);
      case 'simple':
        for await (const kv of kvs)
          await write(Buffer.concat(keysOnly ? [kv.key, lineEnd] : [kv.key, tab, kv.value, lineEnd]));
    }
  },
};

const tab = Buffer.from('\t');
const lineEnd = Buffer.from('\n');

function optionsOf(given: ListArguments): ListOptions {
  return {
    consistency: consistencyOf(given),
    keysOnly: given['keys-only'] === true,
    ...(given.prefix !== undefined && { prefix: given.prefix }),
    ...(given.start !== undefined && { start: given.start }),
    ...(given.end !== undefined && { end: given.end }),
    ...(given.sort !== undefined && { sort: given.sort }),
    ...(given.order !== undefined && { order: given.order }),
    ...option('limit', given.limit, (text) => positive('--limit', text)),
    ...option('revision', given.rev, (text) => positive('--rev', text)),
    ...boundsOf(given),
  };
}

function boundsOf(given: ListArguments): RevisionBounds {
  return {
    ...option('minModRevision', given['min-mod-rev'], (text) => positive('--min-mod-rev', text)),
    ...option('maxModRevision', given['max-mod-rev'], (text) => positive('--max-mod-rev', text)),
    ...option('minCreateRevision', given['min-create-rev'], (text) => positive('--min-create-rev', text)),
    ...option('maxCreateRevision', given['max-create-rev'], (text) => positive('--max-create-rev', text)),
  };
}

async function writeTable(kvs: AsyncIterable<KeyValue>, keysOnly: boolean): Promise<void> {
  const cells = (row: readonly unknown[]): string[] =>
    row.map(String).filter((_, column) => !(keysOnly && column === 1));
  let rows: string[][] = [];
  let isFirst = true;
  const writeRows = async (): Promise<void> => {
    const text = table(cells(keyValueHeader), rows);
    await write(isFirst ? text : text.slice(text.indexOf('\n') + 1));
    isFirst = false;
    rows = [];
  };
  for await (const kv of kvs) {
    rows.push(
      cells([printable(kv.key), shortened(printable(kv.value)), kv.createRevision, kv.modRevision, kv.version]),
    );
    if (rows.length === tableRows) await writeRows();
  }
  if (rows.length > 0 || isFirst) await writeRows();
}

function shortened(value: string): string {
  return value.length <= 60 ? value : `${value.slice(0, 59)}…`;
}
