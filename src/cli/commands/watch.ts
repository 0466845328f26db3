import type { CommandModule } from 'yargs';
import type { BalsaError, WatchOptions } from '../../client/index.ts';
import { given as option, positive } from '../argument-values.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { selectedKeys } from '../key-selection.ts';
import { write, writeJson } from '../output.ts';
import { untilStopped } from '../until-stopped.ts';
import { watchBatchJson, watchLines } from '../watch-lines.ts';

interface WatchArguments extends ClientArguments {
  readonly key: string | undefined;
  readonly prefix: boolean | undefined;
  readonly 'from-key': boolean | undefined;
  readonly 'range-end': string | undefined;
  readonly rev: string | undefined;
  readonly 'prev-kv': boolean | undefined;
  readonly filter: 'put' | 'delete' | undefined;
}

/** Prints changes until it is stopped; a connection that is lost is made again, and nothing is missed. */
export const watchCommand: CommandModule<object, WatchArguments> = {
  command: 'watch [key]',
  describe: 'Print changes as they happen, of a key, of a range, or of all keys; end it with Ctrl-C',
  builder: (program) =>
    withClientOptions(program)
      .positional('key', { type: 'string' })
      .option('prefix', { type: 'boolean', describe: 'All keys that begin with <key>' })
      .option('from-key', { type: 'boolean', describe: 'All keys from <key> on' })
      .option('range-end', {
        type: 'string',
        requiresArg: true,
        describe: 'All keys from <key> up to, not including, it',
      })
      .option('rev', { type: 'string', requiresArg: true, describe: 'Begin with this revision, also a past one' })
      .option('prev-kv', { type: 'boolean', describe: 'Print also what was replaced or deleted' })
      .option('filter', {
        type: 'string',
        requiresArg: true,
        choices: ['put', 'delete'] as const,
        describe: 'Leave out these changes',
      })
      .example('$0 watch config/ --prefix', 'PUT  config/color  green  (revision 7)')
      .example('$0 watch config/color --rev 5', 'what happened from revision 5 on, and what will')
      .example('$0 watch jobs/ --prefix -o json | jq -c .events[]', 'a JSON object for each revision'),
  handler: async (given) => {
    await untilStopped(async (signal) => {
      const watch = openClient(given).watch({ ...optionsOf(given), signal, onInterrupted: interruptions() });
      for await (const batch of watch) {
        if (given.output === 'json') await writeJson(watchBatchJson(batch));
        else await write(watchLines(batch));
      }
    });
  },
};

function optionsOf(given: WatchArguments): WatchOptions {
  return {
    ...selectedKeys({
      key: given.key,
      prefix: given.prefix,
      fromKey: given['from-key'],
      rangeEnd: given['range-end'],
    }),
    ...option('revision', given.rev, (text) => positive('--rev', text)),
    ...(given.filter !== undefined && { filter: given.filter }),
    previous: given['prev-kv'] === true,
  };
}

/** Says what was lost, and not again what has just been said: a cluster may be away for long. */
function interruptions(): (reason: BalsaError) => void {
  let said: string | undefined;
  return ({ code, detail }) => {
    if (detail !== said) process.stderr.write(`balsa: ${code}: ${detail} The watch goes on when a member answers.\n`);
    said = detail;
  };
}
