import type { Field, Init, MessageType } from './message-type.ts';

/** JSON that is no message of that type; the message names the place. */
export class MalformedJson extends Error {
  override readonly name = 'MalformedJson';
}

const depthMax = 32;

/**
 * As etcd's gateway writes it (proto3 JSON with the names of the proto files): bytes in base64, 64 bits as text, enumerations by name,
 * and nothing that is zero.
 */
export function toJson<T extends object>(type: MessageType<T>, message: Init<T>): string {
  return objectJson(type, message as Readonly<Record<string, unknown>>);
}

function objectJson(type: MessageType<object>, message: Readonly<Record<string, unknown>>): string {
  let json = '';
  for (const field of type.fields) {
    const value = message[field.name];
    if (value === undefined || isLeftOut(field, value)) continue;
    const written = field.isRepeated
      ? `[${(value as readonly unknown[]).map((item) => valueJson(field, item)).join(',')}]`
      : valueJson(field, value);
    json += `${json === '' ? '' : ','}"${field.protoName}":${written}`;
  }
  return `{${json}}`;
}

function valueJson(field: Field, value: unknown): string {
  switch (field.kind) {
    case 'bytes': {
      const { buffer, byteOffset, byteLength } = value as Uint8Array;
      return `"${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}"`;
    }
    case 'int64':
    case 'uint64':
      return `"${value}"`;
    case 'enum': {
      const name = field.values[value as number];
      return name === undefined ? `${value}` : `"${name}"`;
    }
    case 'message':
      if (field.type === undefined) throw new Error('a field of no type');
      return objectJson(field.type(), value as Readonly<Record<string, unknown>>);
    default:
      return JSON.stringify(value);
  }
}

function isLeftOut({ isRepeated, kind }: Field, value: unknown): boolean {
  if (isRepeated || kind === 'bytes' || kind === 'string') return (value as { readonly length: number }).length === 0;
  return kind !== 'message' && (value === 0 || value === 0n || value === false);
}

/** Takes both names of a field, and leaves alone what it does not know (as etcd's gateway). */
export function fromJson<T extends object>(type: MessageType<T>, text: string): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(quoteLargeNumbers(text));
  } catch (reason) {
    throw new MalformedJson(reason instanceof Error ? reason.message : 'it cannot be parsed');
  }
  return readObject(type, parsed, '', 1);
}

/** A number that JavaScript would round becomes a text, which means the same for 64 bits. Strings are passed over. */
function quoteLargeNumbers(text: string): string {
  return text.replaceAll(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b\d{16,}\b(?![.eE])/gs, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
}

function readObject<T extends object>(type: MessageType<T>, json: unknown, place: string, depth: number): T {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong(place, 'must be an object');
  if (depth > depthMax) throw wrong(place, 'is nested too deep');
  const message = type.create();
  const values = message as Record<string, unknown>;
  for (const [name, value] of Object.entries(json)) {
    const field = type.byJsonName.get(name);
    if (field === undefined || value === null) continue;
    const at = place === '' ? name : `${place}.${name}`;
    if (!field.isRepeated) values[field.name] = readValue(field, value, at, depth);
    else if (Array.isArray(value)) {
      values[field.name] = value.map((item, i) => readValue(field, item, `${at}[${i}]`, depth));
    } else throw wrong(at, 'must be a list');
  }
  return message;
}

function readValue(field: Field, json: unknown, place: string, depth: number): unknown {
  switch (field.kind) {
    case 'bytes':
      return readBytes(json, place);
    case 'string':
      if (typeof json === 'string') return json;
      throw wrong(place, 'must be a text');
    case 'bool':
      if (typeof json === 'boolean') return json;
      throw wrong(place, 'must be true or false');
    case 'enum': {
      const number = typeof json === 'string' ? field.values.indexOf(json) : json;
      if (typeof number === 'number' && Number.isInteger(number) && number >= 0) return number;
      throw wrong(place, `must be one of ${field.values.join(', ')}`);
    }
    case 'message':
      if (field.type === undefined) throw new Error('a field of no type');
      return readObject(field.type(), json, place, depth + 1);
    default: {
      const { kind } = field;
      const number = readInteger(json, ranges[kind], place);
      return kind === 'int64' || kind === 'uint64' ? number : Number(number);
    }
  }
}

const ranges = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
} as const;

function readInteger(json: unknown, [minimum, maximum]: readonly [bigint, bigint], place: string): bigint {
  const isNumber = typeof json === 'number' ? Number.isSafeInteger(json) : /^-?\d{1,20}$/.test(`${json}`);
  if (!isNumber || (typeof json !== 'number' && typeof json !== 'string')) throw wrong(place, 'must be a whole number');
  const number = BigInt(json);
  if (number < minimum || number > maximum) throw wrong(place, `must be from ${minimum} to ${maximum}`);
  return number;
}

/** Base64 of either alphabet, with or without padding. */
function readBytes(json: unknown, place: string): Uint8Array {
  if (typeof json !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(json)) throw wrong(place, 'must be base64');
  const digits = json.replace(/=+$/, '').length;
  if (digits % 4 === 1) throw wrong(place, 'must be base64');
  return Buffer.from(json, 'base64');
}

function wrong(place: string, what: string): MalformedJson {
  return new MalformedJson(`${place === '' ? 'the body' : place} ${what}`);
}
