import { BalsaError } from '../../contract/errors.ts';
import { type LeaseId, parseLeaseId } from '../../contract/lease.ts';
import {
  type Choice,
  type ChoiceName,
  type CountName,
  choicesOf,
  type DurationName,
  type ParameterName,
  type ParameterSet,
  rangeOf,
} from './parameters.ts';
import { percentDecode } from './request-target.ts';

/**
 * The query of one request, read by name and type. Unknown and repeated parameters are refused: a misspelt `limt=5`
 * must not mean "no limit". In a query `+` is a space, as HTML forms and every URL library write it.
 */
export class Query {
  static readonly #empty = new Query(new Map());
  readonly #values: ReadonlyMap<string, readonly string[]>;

  private constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  static parse(text: string, parameters: ParameterSet): Query {
    if (text === '') return Query.#empty;
    const values = new Map<string, string[]>();
    for (const pair of text.split('&')) {
      if (pair === '') continue;
      const equals = pair.indexOf('=');
      const name = equals === -1 ? pair : pair.slice(0, equals);
      if (!parameters.names.has(name)) throw unknownParameter(name, parameters);
      const value = equals === -1 ? '' : pair.slice(equals + 1);
      const given = values.get(name);
      if (given === undefined) values.set(name, [value]);
      else if (name === 'exclude') given.push(value);
      else throw refused(name as ParameterName, 'is given more than once; give it once');
    }
    return new Query(values);
  }

  has(name: ParameterName): boolean {
    return this.#values.has(name);
  }

  /** Of those names, the ones that are given. */
  given(names: readonly ParameterName[]): ParameterName[] {
    return names.filter((name) => this.#values.has(name));
  }

  bytes(name: ParameterName): Buffer | undefined {
    const value = this.#values.get(name)?.[0];
    return value === undefined ? undefined : percentDecode(value.replaceAll('+', ' '), name);
  }

  text(name: ParameterName): string | undefined {
    return this.bytes(name)?.toString();
  }

  texts(name: 'exclude'): readonly string[] {
    return (this.#values.get(name) ?? []).map((value) => percentDecode(value.replaceAll('+', ' '), name).toString());
  }

  /** `?verbose` alone means `?verbose=true`. */
  flag(name: ParameterName): boolean {
    const value = this.text(name);
    if (value === undefined || value === 'false') return false;
    if (value === 'true' || value === '') return true;
    throw refused(name, `must be true or false, not ${quoted(value)}`);
  }

  choice<Name extends ChoiceName>(name: Name): Choice<Name> | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const choices = choicesOf(name);
    const choice = choices.find((candidate) => candidate === value);
    if (choice !== undefined) return choice;
    throw refused(name, `must be one of ${choices.join(', ')}, not ${quoted(value)}`);
  }

  count(name: CountName): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const { minimum, maximum } = rangeOf(name);
    const number = /^[0-9]{1,16}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= minimum && number <= maximum) return number;
    throw refused(name, `must be a whole number from ${minimum} to ${maximum}, not ${quoted(value)}`);
  }

  lease(): LeaseId | undefined {
    const value = this.text('lease');
    if (value === undefined) return undefined;
    const id = parseLeaseId(value);
    if (id !== undefined) return id;
    throw refused('lease', `must be the id of a lease, 1 to 16 hexadecimal digits and not 0, not ${quoted(value)}`);
  }

  /** Milliseconds. */
  duration(name: DurationName): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const [, number, unit] = /^([0-9]{1,12}(?:\.[0-9]{1,9})?)(ms|s|m|h)$/.exec(value) ?? [];
    if (number === undefined || unit === undefined) {
      throw refused(name, `must be a number with a unit, such as 500ms, 5s or 1m, not ${quoted(value)}`);
    }
    return Number(number) * (millisecondsIn[unit] as number);
  }
}

const millisecondsIn: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A `bad_request` that names the parameter: `` `limit` must be … ``. */
export function refused(name: ParameterName, problem: string): BalsaError {
  return new BalsaError('bad_request', `\`${name}\` ${problem}.`, { extras: { parameter: name } });
}

/** A value as it was sent, for an error text: short, and never more than one line. */
function quoted(value: string): string {
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
}

function unknownParameter(name: string, parameters: ParameterSet): BalsaError {
  const known = [...parameters.names];
  const takes = known.length === 0 ? 'takes none' : `takes ${known.join(', ')}`;
  return new BalsaError('bad_request', `There is no query parameter ${quoted(name)} here; this request ${takes}.`, {
    extras: { parameter: name.slice(0, 40) },
  });
}
