import { readFile } from 'node:fs/promises';
import type { CommandModule } from 'yargs';
import type { BalsaClient, TxnOutcome } from '../../client/index.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { CommandError } from '../exit-codes.ts';
import { write, writeJson } from '../output.ts';
import { standardInput } from '../standard-input.ts';
import { txnLines, txnOutcomeJson } from '../txn-lines.ts';
import { txnOfText } from '../txn-text.ts';

interface TxnArguments extends ClientArguments {
  readonly file: string | undefined;
}

/** Prints which branch was done, and its results. That the comparisons do not hold is no failure of the command. */
export const txnCommand: CommandModule<object, TxnArguments> = {
  command: 'txn [file]',
  describe: 'Do several things in one revision, or others; from a file or standard input',
  builder: (program) =>
    withClientOptions(program)
      .positional('file', { type: 'string', describe: 'JSON of the REST API, or the text of etcdctl txn' })
      .example(
        '$0 txn <<< \'{"if":[{"key":"a","exists":false}],"then":[{"put":{"key":"a","value":"1"}}]}\'',
        'SUCCESS or FAILURE, and a result for each operation',
      )
      .example(
        'printf \'mod("a") > "0"\\n\\nput a 2\\n\\nput a 1\\n\' | $0 txn',
        'etcdctl: comparisons, what to do if they hold, what to do if not, an empty line between them',
      ),
  handler: async (given) => {
    const text = (await read(given.file)).toString();
    const outcome = await run(openClient(given), text);
    await (given.output === 'json' ? writeJson(txnOutcomeJson(outcome)) : write(txnLines(outcome)));
  },
};

/** JSON goes to the server as it is, which checks it and names what is wrong. */
async function run(client: BalsaClient, text: string): Promise<TxnOutcome> {
  if (text.trim() === '') throw new CommandError('the transaction is empty; see balsa txn --help for its two forms');
  if (!text.trimStart().startsWith('{')) return client.txn(txnOfText(text));
  try {
    JSON.parse(text);
  } catch (reason) {
    throw new CommandError(`the transaction is not valid JSON: ${reason instanceof Error ? reason.message : reason}`);
  }
  return client.txnOfJson(text);
}

async function read(file: string | undefined): Promise<Buffer> {
  if (file === undefined || file === '-') return standardInput('the transaction');
  try {
    return await readFile(file);
  } catch (reason) {
    throw new CommandError(`${file} cannot be read (${reason instanceof Error ? reason.message : String(reason)})`);
  }
}
