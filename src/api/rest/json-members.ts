import { BalsaError } from '../../contract/errors.ts';
import { type LeaseId, parseLeaseId } from '../../contract/lease.ts';

/** An object of a body that a client sent; which members it has, and what they are, is still to be seen. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Where something stands in a body. Written out only for an error, as in `then[2].put.key`: a transaction has hundreds
 * of places and no error, most times.
 */
export interface Place {
  readonly within: Place | undefined;
  /** A member, or an index of a list. Undefined: the body itself. */
  readonly at: string | number | undefined;
}

export const wholeBody: Place = { within: undefined, at: undefined };

export function placeIn(within: Place, at: string | number): Place {
  return { within, at };
}

/** A `bad_request` that names the place: `` `then[2].put.key` is missing. `` */
export function refusedAt(place: Place, problem: string): BalsaError {
  const path = pathOf(place);
  if (path === '') return new BalsaError('bad_request', `The body ${problem}.`);
  return new BalsaError('bad_request', `\`${path}\` ${problem}.`, { extras: { parameter: path } });
}

function pathOf({ within, at }: Place): string {
  if (within === undefined || at === undefined) return '';
  const before = pathOf(within);
  if (typeof at === 'number') return `${before}[${at}]`;
  return before === '' ? at : `${before}.${at}`;
}

/** The value as an object with no members but those. */
export function objectAt(value: unknown, place: Place, members: ReadonlySet<string>): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refusedAt(place, 'must be an object');
  for (const name in value) {
    if (!members.has(name)) throw unknownMember(name, place, members);
  }
  return value as JsonObject;
}

function unknownMember(name: string, place: Place, members: ReadonlySet<string>): BalsaError {
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name;
  return refusedAt(placeIn(place, shown), `is no member that is known here; there is ${[...members].join(', ')}`);
}

/** A list; empty if the member is left out. */
export function listIn(object: JsonObject, name: string, place: Place): readonly unknown[] {
  const value = object[name];
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw refusedAt(placeIn(place, name), 'must be a list');
}

/** True or false; false if the member is left out. */
export function flagIn(object: JsonObject, name: string, place: Place): boolean {
  const value = object[name];
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw refusedAt(placeIn(place, name), 'must be true or false');
}

export function choiceIn<Choice extends string>(
  object: JsonObject,
  name: string,
  place: Place,
  choices: readonly Choice[],
): Choice | undefined {
  const value = object[name];
  if (value === undefined) return undefined;
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  throw refusedAt(placeIn(place, name), `must be one of ${choices.join(', ')}`);
}

/** Text; undefined if the member is left out. */
export function textIn(object: JsonObject, name: string, place: Place): string | undefined {
  const value = object[name];
  return value === undefined ? undefined : textBytes(value, placeIn(place, name)).toString();
}

/** A whole number within those bounds, both included; undefined if the member is left out. */
export function integerIn(
  object: JsonObject,
  name: string,
  place: Place,
  bounds: { readonly minimum: number; readonly maximum: number },
): number | undefined {
  const value = object[name];
  return value === undefined ? undefined : integerAt(value, placeIn(place, name), bounds);
}

export function integerAt(
  value: unknown,
  place: Place,
  { minimum, maximum }: { readonly minimum: number; readonly maximum: number },
): number {
  // The parser has rounded what is beyond 2^53, and such a number must not stand for another one.
  const isWithin = Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
  if (!isWithin) throw refusedAt(place, `must be a whole number from ${minimum} to ${maximum}`);
  // Not `-0`, which JSON can write.
  return (value as number) + 0;
}

/** What a number in a body can hold without being rounded. */
export const anyCount = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
export const anyRevision = { minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const;

/** A lease id as text; undefined if the member is left out. */
export function leaseIdIn(object: JsonObject, name: string, place: Place): LeaseId | undefined {
  const value = object[name];
  if (value === undefined) return undefined;
  const id = typeof value === 'string' ? parseLeaseId(value) : undefined;
  if (id !== undefined) return id;
  throw refusedAt(placeIn(place, name), 'must be the id of a lease: text of 1 to 16 hexadecimal digits, not 0');
}

/** Bytes as text in `name`, or as base64 in `nameBase64`; undefined if both are left out. */
export function bytesIn(object: JsonObject, name: BytesName, place: Place): Buffer | undefined {
  const text = object[name];
  const base64Name = base64Names[name];
  const base64 = object[base64Name];
  if (text !== undefined && base64 !== undefined) {
    throw refusedAt(placeIn(place, name), `and ${base64Name} exclude each other; send one of them`);
  }
  if (text !== undefined) return textBytes(text, placeIn(place, name));
  return base64 === undefined ? undefined : base64Bytes(base64, placeIn(place, base64Name));
}

/** Members that hold bytes, and what they are called where these are base64. */
const base64Names = {
  key: 'keyBase64',
  value: 'valueBase64',
  prefix: 'prefixBase64',
  start: 'startBase64',
  end: 'endBase64',
} as const;

export type BytesName = keyof typeof base64Names;

export function bytesMembers(...names: readonly BytesName[]): readonly string[] {
  return names.flatMap((name) => [name, base64Names[name]]);
}

export function textBytes(value: unknown, place: Place): Buffer {
  if (typeof value !== 'string') throw refusedAt(place, 'must be text');
  if ((value as WellFormed).isWellFormed()) return Buffer.from(value);
  throw refusedAt(place, 'has half of a surrogate pair, which is no character');
}

/** A part of ES2024 that Node 20 has. */
type WellFormed = string & { isWellFormed(): boolean };

export function base64Bytes(value: unknown, place: Place): Buffer {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'base64');
    // Node skips what it cannot decode.
    if (bytes.toString('base64') === value) return bytes;
  }
  throw refusedAt(place, 'must be base64 with padding (RFC 4648, section 4)');
}
