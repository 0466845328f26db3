import type { CommandModule } from 'yargs';
import { positive } from '../argument-values.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { write, writeJson } from '../output.ts';

interface CompactArguments extends ClientArguments {
  readonly revision: string;
}

/** Prints the revision before which nothing of the past can be read any more. */
export const compactCommand: CommandModule<object, CompactArguments> = {
  command: 'compact <revision>',
  describe: 'Forget what was before a revision, on all members; what keys are now stays',
  builder: (program) =>
    withClientOptions(program)
      .positional('revision', { type: 'string', demandOption: true })
      .example('$0 compact 1000', 'get --rev 999 fails from now on, get --rev 1000 does not'),
  handler: async (given) => {
    const revision = positive('<revision>', given.revision);
    await openClient(given).compact(revision);
    await (given.output === 'json' ? writeJson({ revision }) : write(`compacted revision ${revision}\n`));
  },
};
