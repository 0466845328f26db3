import { etcdFlag } from '../server/etcd-flags.ts';
import { unknownFlag } from '../server/load-config.ts';
import { configFile, optionOfFlag, options } from '../server/options.ts';
import { CommandError } from './exit-codes.ts';

/**
 * Brings arguments written as Go's `flag` package takes them, and so as etcd's users and scripts write them, into one
 * form: `-name x`, `-name=x`, `--name x` and `--name=x` become `--name=x`; a switch alone becomes `--switch=true`.
 *
 * @throws CommandError for a flag that does not exist or has no value, and for an argument that is no flag.
 */
export function normalizeEtcdArguments(given: readonly string[]): string[] {
  const normal: string[] = [];
  const rest = [...given];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    const match = /^--?([a-z][a-z0-9-]*)(?:=(.*))?$/is.exec(argument);
    if (match === null) {
      throw new CommandError(`"${argument}": balsa serve takes flags only, as in --name=node1; see balsa serve --help`);
    }
    const [, flag = '', written] = match;
    if (general.has(flag)) {
      normal.push(`--${flag}`);
      continue;
    }
    // Asked first, because it refuses a flag that does not exist, with or without a value.
    const standsAlone = isSwitch(flag);
    normal.push(`--${flag}=${written ?? (standsAlone ? 'true' : takeValue(flag, rest))}`);
  }
  return normal;
}

/** Flags of every command. */
const general: ReadonlySet<string> = new Set(['help', 'h', 'version']);

function isSwitch(flag: string): boolean {
  if (isOption(flag)) return false;
  const etcd = etcdFlag(flag);
  if (etcd === undefined) throw new CommandError(unknownFlag(flag).message);
  return etcd.isSwitch;
}

function takeValue(flag: string, rest: string[]): string {
  const next = rest.shift();
  const nextFlag = next === undefined ? undefined : /^--?([a-z][a-z0-9-]*)/i.exec(next)?.[1];
  // Go would take the flag for the value, and a member would be named "--data-dir".
  if (next === undefined || (nextFlag !== undefined && (isOption(nextFlag) || general.has(nextFlag)))) {
    const option = optionOfFlag(flag);
    const valueName = option === undefined ? 'VALUE' : options[option].valueName;
    throw new CommandError(`--${flag}: needs a value, as in --${flag}=${valueName}`);
  }
  return next;
}

function isOption(flag: string): boolean {
  return flag === configFile.flag || optionOfFlag(flag) !== undefined;
}
