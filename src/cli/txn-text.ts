import { parseArgs } from 'node:util';
import type { Comparison, RangeSort, Relation, Txn, TxnOperation } from '../client/index.ts';
import { given, leaseId, positive } from './argument-values.ts';
import { CommandError } from './exit-codes.ts';
import { bufferOf, bytesOf, goUnquoted, goWords } from './go-words.ts';
import { selectedKeys } from './key-selection.ts';

/**
 * A transaction as etcdctl's `txn` takes it: three blocks, each ended by an empty line: comparisons, what to do if they
 * all hold, and what to do otherwise.
 *
 * ```
 * mod("key1") > "0"
 *
 * put key1 "overwrote"
 *
 * put key1 "created"
 * get key1
 * ```
 *
 * @throws CommandError that names the line.
 */
export function txnOfText(text: string): Txn {
  const blocks: { line: string; number: number }[][] = [[], [], []];
  let block = 0;
  for (const [index, written] of text.split('\n').entries()) {
    const line = written.trim();
    if (line === '') block += 1;
    else if (blocks[block] !== undefined) blocks[block]?.push({ line, number: index + 1 });
    else
      throw new CommandError(`line ${index + 1}: a transaction ends with its third block of lines, but here is more`);
  }
  const [compare, success, failure] = blocks.map((lines, i) =>
    lines.map(({ line, number }) => onLine(number, () => (i === 0 ? comparisonOf(line) : operationOf(line)))),
  ) as [Comparison[], TxnOperation[], TxnOperation[]];
  return { compare, success, failure };
}

function onLine<Result>(number: number, parse: () => Result): Result {
  try {
    return parse();
  } catch (reason) {
    if (reason instanceof CommandError) throw new CommandError(`line ${number}: ${reason.message}`);
    throw reason;
  }
}

/** `mod("key1") > "0"`; what is compared has etcdctl's names. */
function comparisonOf(line: string): Comparison {
  const match =
    /^(\w+)\s*\(\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\s*\)\s*(!=|=|<|>)\s*("(?:[^"\\]|\\.)*"|`[^`]*`|[^\s"`]+)$/.exec(
      bytesOf(line),
    );
  if (match === null) {
    throw new CommandError(`"${line}" is no comparison; write one as mod("key1") > "0" or value("key1") = "x"`);
  }
  const [, target = '', quotedKey = '', is = '', written = ''] = match;
  const key = bufferOf(goUnquoted(quotedKey));
  const operand = /^["`]/.test(written) ? goUnquoted(written) : written;
  const relation = <Operand>(value: Operand): Relation<Operand> => ({ [is]: value }) as Relation<Operand>;
  switch (target) {
    case 'ver':
    case 'version':
      return { key, version: relation(wholeNumber(operand)) };
    case 'c':
    case 'create':
      return { key, createRevision: relation(wholeNumber(operand)) };
    case 'm':
    case 'mod':
      return { key, modRevision: relation(wholeNumber(operand)) };
    case 'val':
    case 'value':
      return { key, value: relation(bufferOf(operand)) };
    case 'lease':
      return { key, lease: relation(/^0+$/.test(operand) ? 0n : leaseId('a lease', operand)) };
    default:
      throw new CommandError(`"${target}" is nothing to compare; use version, create, mod, value or lease`);
  }
}

function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new CommandError(`must be compared with a whole number, not "${text}"`);
}

function operationOf(line: string): TxnOperation {
  const [command, ...args] = goWords(line);
  switch (command) {
    case 'put':
      return putOf(args);
    case 'get':
      return getOf(args);
    case 'del':
      return delOf(args);
    default:
      throw new CommandError(`"${line}" is no operation; write put KEY VALUE, get KEY or del KEY`);
  }
}

const flag = { type: 'boolean' } as const;
const value = { type: 'string' } as const;
const keyFlags = { prefix: flag, 'from-key': flag } as const;

function putOf(args: string[]): TxnOperation {
  const options = { lease: value, 'prev-kv': flag, 'ignore-value': flag, 'ignore-lease': flag } as const;
  const { values, positionals } = parsed(() => parseArgs({ args, allowPositionals: true, options }));
  const [key, stored] = positionals;
  const keepsValue = values['ignore-value'] === true;
  if (key === undefined || positionals.length !== (keepsValue ? 1 : 2)) {
    throw new CommandError('put needs a key and a value, or a key and --ignore-value; quote what has spaces');
  }
  return {
    put: {
      key: bufferOf(key),
      ...(stored === undefined ? { keepsValue: true as const } : { value: bufferOf(stored) }),
      ...given('lease', values.lease, (text) => leaseId('--lease', text)),
      ...(values['ignore-lease'] === true && { keepsLease: true }),
      ...(values['prev-kv'] === true && { previous: true }),
    },
  };
}

function getOf(args: string[]): TxnOperation {
  const options = {
    ...keyFlags,
    limit: value,
    rev: value,
    'sort-by': value,
    order: value,
    'keys-only': flag,
    'count-only': flag,
  } as const;
  const { values, positionals } = parsed(() => parseArgs({ args, allowPositionals: true, options }));
  return {
    get: {
      ...keysOf('get', positionals, values),
      ...given('limit', values.limit, (text) => positive('--limit', text)),
      ...given('revision', values.rev, (text) => positive('--rev', text)),
      ...given('sort', values['sort-by'], sortOf),
      ...given('order', values.order, orderOf),
      ...(values['keys-only'] === true && { keysOnly: true }),
      ...(values['count-only'] === true && { countOnly: true }),
    },
  };
}

function delOf(args: string[]): TxnOperation {
  const { values, positionals } = parsed(() =>
    parseArgs({ args, allowPositionals: true, options: { ...keyFlags, 'prev-kv': flag } }),
  );
  return {
    delete: { ...keysOf('del', positionals, values), ...(values['prev-kv'] === true && { previous: true }) },
  };
}

function keysOf(
  command: string,
  positionals: readonly string[],
  flags: { readonly prefix?: boolean; readonly 'from-key'?: boolean },
): ReturnType<typeof selectedKeys> {
  const [key, rangeEnd] = positionals;
  if (key === undefined || positionals.length > 2) {
    throw new CommandError(`${command} needs a key, and at most the end of a range after it`);
  }
  return selectedKeys({
    key: bufferOf(key),
    prefix: flags.prefix,
    fromKey: flags['from-key'],
    rangeEnd: rangeEnd === undefined ? undefined : bufferOf(rangeEnd),
  });
}

function parsed<Result>(parse: () => Result): Result {
  try {
    return parse();
  } catch (reason) {
    throw new CommandError(reason instanceof Error ? (reason.message.split(/\.\s/)[0] ?? '') : String(reason));
  }
}

const sorts: Readonly<Record<string, RangeSort>> = {
  KEY: 'key',
  CREATE: 'createRevision',
  MODIFY: 'modRevision',
  VALUE: 'value',
  VERSION: 'version',
};

/** etcdctl's names, and ours. */
function sortOf(text: string): RangeSort {
  const sort = sorts[text.toUpperCase()] ?? Object.values(sorts).find((name) => name === text);
  if (sort !== undefined) return sort;
  throw new CommandError(`--sort-by: must be one of ${Object.keys(sorts).join(', ')}, not "${text}"`);
}

function orderOf(text: string): 'asc' | 'desc' {
  const order = ({ ASCEND: 'asc', ASC: 'asc', DESCEND: 'desc', DESC: 'desc' } as const)[text.toUpperCase()];
  if (order !== undefined) return order;
  throw new CommandError(`--order: must be ASCEND or DESCEND, not "${text}"`);
}
