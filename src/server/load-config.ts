import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { closest } from './closest.ts';
import { adviseOn, type Config, ConfigError, type GivenValue, resolveGiven } from './config.ts';
import { objectionToShape } from './config-file-shape.ts';
import { asksForIt, etcdFlag } from './etcd-flags.ts';
import { configFile, flagOfVariable, type OptionName, optionOfFlag, options, variableOf } from './options.ts';

/** Where the configuration of a process comes from; the first place that has an option decides it. */
export interface ConfigSources {
  /** Flags with the text of their values, without dashes. */
  readonly flags: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Whole sentences, to be logged once the logger is there. */
  readonly warnings: readonly string[];
}

/**
 * Flag, environment, file, default: in this order (etcd refuses an option that is in two places; here a flag can be
 * tried out on top of an installation's file).
 *
 * @throws ConfigError with one line for the first thing that cannot be used.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const collected = new Collected();
  for (const [flag, value] of Object.entries(sources.flags)) {
    if (flag !== configFile.flag) collected.add(flag, value, `--${flag}`, unknownFlag);
  }
  // BALSA_… first: it was meant for this process, an ETCD_… may have been inherited.
  for (const prefix of ['BALSA', 'ETCD'] as const) collected.addEnvironment(sources.environment, prefix);

  const path = sources.flags[configFile.flag] ?? fileOfEnvironment(sources.environment);
  if (path !== undefined) {
    for (const [key, value] of Object.entries(readConfigFile(path))) {
      collected.add(key, value, `${key} in ${path}`, unknownKey);
    }
  }

  const config = resolveGiven(collected.given);
  return { config, warnings: [...collected.warnings(), ...adviseOn(config, collected.given)] };
}

/** The sentence for a flag that does not exist. */
export function unknownFlag(flag: string): ConfigError {
  const meant = closest(flag, [...optionFlags(), configFile.flag]);
  return new ConfigError(
    `--${flag}: there is no such flag; ${meant === undefined ? 'see balsa serve --help' : `did you mean --${meant}?`}`,
  );
}

/** Variables of the environment that are for the client commands. */
const clientVariables: ReadonlySet<string> = new Set(['BALSA_ENDPOINTS']);

class Collected {
  readonly given: { -readonly [Name in OptionName]?: GivenValue } = {};
  readonly #ignored: string[] = [];
  readonly #unknownVariables: string[] = [];

  add(flag: string, value: unknown, origin: string, unknown: (flag: string, origin: string) => ConfigError): void {
    const option = optionOfFlag(flag);
    if (option !== undefined) {
      this.given[option] ??= { value, origin };
      return;
    }
    const etcd = etcdFlag(flag);
    if (etcd === undefined) throw unknown(flag, origin);
    if (etcd.refusal !== undefined && asksForIt(flag, value)) {
      throw new ConfigError(`${origin}: ${etcd.refusal}`);
    }
    if (etcd.refusal === undefined) this.#ignored.push(origin);
  }

  addEnvironment(environment: ConfigSources['environment'], prefix: 'BALSA' | 'ETCD'): void {
    for (const [variable, value] of Object.entries(environment)) {
      const flag = variable.startsWith(`${prefix}_`) ? flagOfVariable(variable) : undefined;
      // An empty variable is one that was unset in the only way a container file can (etcd does the same).
      if (flag === undefined || !value || flag === configFile.flag || clientVariables.has(variable)) continue;
      if (optionOfFlag(flag) === undefined && etcdFlag(flag) === undefined) this.#unknownVariables.push(variable);
      else this.add(flag, value, variable, unknownFlag);
    }
  }

  warnings(): string[] {
    const warnings: string[] = [];
    if (this.#ignored.length > 0) {
      warnings.push(`options of etcd that have no effect here: ${this.#ignored.join(', ')}; they can be removed`);
    }
    if (this.#unknownVariables.length > 0) {
      const meant = this.#unknownVariables.map(withSuggestion);
      warnings.push(`environment variables that name no option are ignored: ${meant.join(', ')}`);
    }
    return warnings;
  }
}

function fileOfEnvironment(environment: ConfigSources['environment']): string | undefined {
  return environment[variableOf(configFile.flag)] || environment[variableOf(configFile.flag, 'ETCD')] || undefined;
}

function readConfigFile(path: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (reason) {
    throw new ConfigError(`--config-file: cannot read ${path} (${codeOf(reason)}); check the path and its permissions`);
  }
  const objection = objectionToShape(text);
  if (objection !== undefined) throw new ConfigError(`${path}: ${objection}; write options as "key: value" lines`);
  // JSON is YAML; the parser refuses keys that are given twice.
  const document = parseDocument(text, { prettyErrors: false });
  const problem = document.errors[0];
  if (problem !== undefined) {
    const line = text.slice(0, problem.pos[0]).split('\n').length;
    throw new ConfigError(`${path}, line ${line}: not valid YAML or JSON: ${oneLine(problem.message)}`);
  }
  let content: unknown;
  try {
    content = document.toJS();
  } catch (reason) {
    throw new ConfigError(
      `${path}: cannot be used: ${oneLine(reason instanceof Error ? reason.message : String(reason))}`,
    );
  }
  if (content === null || content === undefined) return {};
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new ConfigError(`${path}: must hold options as "key: value" lines, such as "name: node1"`);
  }
  // `key:` without a value is a key that was left out.
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== null));
}

function unknownKey(key: string, origin: string): ConfigError {
  const meant = closest(key, optionFlags());
  return new ConfigError(
    `${origin}: there is no such option; ${meant === undefined ? 'see balsa serve --help for those there are' : `did you mean ${meant}?`}`,
  );
}

function withSuggestion(variable: string): string {
  const meant = closest(
    variable,
    [...optionFlags(), configFile.flag].map((flag) => variableOf(flag)),
  );
  return meant === undefined ? variable : `${variable} (did you mean ${meant}?)`;
}

function* optionFlags(): Generator<string> {
  for (const option of Object.values(options)) yield option.flag;
}

function codeOf(reason: unknown): string {
  if (reason instanceof Error && 'code' in reason && typeof reason.code === 'string') return reason.code;
  return String(reason);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
