import type { Random } from '../../../src/base/random.ts';
import { interestingNumbers, mutate, oddTexts, oneIn, pick, randomBytes, randomLength } from '../engine/mutate.ts';
import type { ApiDocument, Operation, Parameter, Schema } from './openapi-document.ts';

/** Each of the others is asked of each path now and then. */
const methods = ['GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'];

/** A few, so that requests meet what others have put; among them bytes that are no text, and names of objects' members. */
const keys = [
  'a',
  'a/b',
  'a/c',
  'app/x',
  '%00',
  '%ff%fe',
  'na%C3%AFve',
  '%ED%A0%80',
  '__proto__',
  '%2e%2e',
  'x'.repeat(300),
];

/**
 * The bytes of one well-formed request of HTTP/1.1 to one of the document's operations: with parameters that are right,
 * nearly right, or wrong in ways that the schemas suggest.
 */
export function restRequest(random: Random, document: ApiDocument): Buffer {
  const [template, operations] = pick(random, Object.entries(document.paths));
  const known = pick(random, Object.keys(operations)).toUpperCase();
  const method = oneIn(random, 25) ? pick(random, methods) : known;
  const operation = operations[method.toLowerCase()] ?? operations[known.toLowerCase()] ?? { responses: {} };
  const target = pathOf(random, template) + queryOf(random, operation);
  const headers = [`host: ${oneIn(random, 30) ? '' : 'x'}`, ...headersOf(random, operation)];
  const body = bodyOf(random, method, operation, headers);
  return Buffer.concat([
    Buffer.from(`${method} ${target} HTTP/1.1\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`, 'latin1'),
    body,
  ]);
}

function pathOf(random: Random, template: string): string {
  const path = template.replace(/\{[^}]*\}/g, () => keyText(random));
  if (!oneIn(random, 30)) return path;
  return sendable(mutate(random, Buffer.from(path), Buffer.from('/v1/kv/a')).toString('latin1'), true) || '/';
}

function keyText(random: Random): string {
  if (!oneIn(random, 5)) return pick(random, keys);
  if (oneIn(random, 10)) return 'k'.repeat(randomLength(random, 20_000));
  const encoded = [...randomBytes(random, 1 + randomLength(random, 100))]
    .map((byte) => `%${byte.toString(16).padStart(2, '0')}`)
    .join('');
  return oneIn(random, 3) ? sendable(mutate(random, Buffer.from(encoded), Buffer.from('%')).toString(), true) : encoded;
}

function queryOf(random: Random, operation: Operation): string {
  const known = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
  const pairs = known
    .filter(() => oneIn(random, Math.max(2, known.length / 3)))
    .map((parameter) => `${parameter.name}=${valueText(random, parameter)}`);
  if (oneIn(random, 15)) pairs.push(`${pick(random, oddTexts)}=${pick(random, oddTexts)}`);
  if (oneIn(random, 15)) pairs.push(pairs[0] ?? '');
  if (oneIn(random, 30)) pairs.push(...Array.from({ length: randomLength(random, 4000) }, () => 'exclude=x'));
  if (pairs.length === 0 && !oneIn(random, 20)) return '';
  const text = `?${pairs.join('&')}`;
  const damaged = oneIn(random, 15) ? mutate(random, Buffer.from(text), Buffer.from(text)).toString('latin1') : text;
  return sendable(damaged, true);
}

/** Right, at the edge, or of another kind. */
function valueText(random: Random, { name, schema = {} }: Parameter): string {
  if (oneIn(random, 8)) return encodeURIComponent(pick(random, oddTexts));
  if (oneIn(random, 12)) return 'v'.repeat(randomLength(random, 70_000));
  switch (name) {
    case 'prefix':
    case 'start':
    case 'end':
      return oneIn(random, 5) ? '' : keyText(random);
    case 'after':
      return cursor(random);
    case 'timeout':
    case 'maxStaleness':
      return duration(random);
    default:
      return schemaText(random, schema);
  }
}

function schemaText(random: Random, schema: Schema): string {
  if (schema.enum !== undefined) return `${String(pick(random, schema.enum))}${oneIn(random, 8) ? 'x' : ''}`;
  if (schema.type === 'boolean') return pick(random, ['true', 'false', '', 'TRUE', '1']);
  if (schema.type === 'integer') {
    const { minimum = 0, maximum = 100 } = schema;
    return `${pick(random, [minimum, maximum, minimum - 1, maximum + 1, random.below(50), pick(random, interestingNumbers)])}`;
  }
  const example = schema.examples?.[0];
  return encodeURIComponent(typeof example === 'string' && oneIn(random, 2) ? example : pick(random, oddTexts));
}

function duration(random: Random): string {
  const number = pick(random, ['1', '5', '0', '0.5', '100', '59.999999999', '99999', '-1', '1e3', '']);
  return `${number}${pick(random, ['ms', 'ms', 's', 's', 'm', 'h', '', 'd'])}`;
}

/** As the server makes them, of a list that never was. */
function cursor(random: Random): string {
  const token = `${randomBytes(random, 8).toString('hex')}.${random.below(70)}.${randomBytes(random, 5).toString('base64url')}`;
  const whole = `${pick(random, ['v', 'k'])}${pick(random, ['a', 'b'])}-${random.below(2 ** 32).toString(36)}-${token}`;
  return oneIn(random, 3)
    ? sendable(mutate(random, Buffer.from(whole), Buffer.from('.')).toString('latin1'), true)
    : whole;
}

function headersOf(random: Random, operation: Operation): string[] {
  const known = (operation.parameters ?? []).filter((parameter) => parameter.in === 'header' && oneIn(random, 3));
  const lines = known.map(({ name }) => `${name}: ${sendable(tagText(random), false)}`);
  if (oneIn(random, 3)) lines.push(`accept: ${sendable(pick(random, acceptTexts), false)}`);
  if (oneIn(random, 6)) lines.push(`content-type: ${sendable(pick(random, contentTypes), false)}`);
  if (oneIn(random, 30)) lines.push(`${pick(random, oddHeaders)}: ${sendable(pick(random, oddTexts), false)}`);
  if (oneIn(random, 40)) lines.push(`filler: ${'f'.repeat(randomLength(random, 70_000))}`);
  if (oneIn(random, 60)) lines.push(...Array.from({ length: randomLength(random, 3000) }, (_, i) => `h${i}: x`));
  if (oneIn(random, 40)) lines.push(`expect: ${pick(random, ['100-continue', '100-Continue', 'x'])}`);
  return lines;
}

const acceptTexts = [
  'application/json',
  'application/x-ndjson',
  '*/*',
  'application/*;q=0.5, application/x-ndjson;q=2',
  ',;,;=,',
  'text/html',
  'application/x-ndjson,'.repeat(2000),
];
const contentTypes = [
  'application/json',
  'text/plain; charset=utf-16',
  'multipart/form-data',
  '',
  ';;',
  'application/json;',
];
const oddHeaders = [
  'balsa-member',
  'content-encoding',
  'range',
  'origin',
  'cookie',
  'x-http-method-override',
  'via',
  'trailer',
];

function tagText(random: Random): string {
  const tag = pick(random, [
    '"1"',
    '"2"',
    '"5"',
    'W/"5"',
    '*',
    '""',
    '"x"',
    '5',
    `"${pick(random, interestingNumbers)}"`,
    '"',
  ]);
  if (!oneIn(random, 6)) return tag;
  return Array.from({ length: randomLength(random, 4000) }, (_, i) => `"${i}"`).join(', ');
}

/** Adds the header that says how long the body is. */
function bodyOf(random: Random, method: string, operation: Operation, headers: string[]): Buffer {
  const takesBody = method === 'PUT' || operation.requestBody !== undefined;
  if (!takesBody && !oneIn(random, 25)) return Buffer.alloc(0);
  const body = oneIn(random, 200)
    ? Buffer.alloc(1_572_864 + random.below(3), 'b')
    : randomBytes(random, randomLength(random, 3000));
  if (!oneIn(random, 4)) {
    headers.push(`content-length: ${body.length}`);
    return body;
  }
  headers.push('transfer-encoding: chunked');
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const chunk = body.subarray(at, at + 1 + random.below(body.length));
    pieces.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
    at += chunk.length;
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')]);
}

/** Without what would end the request line or the header: those are another target's. */
function sendable(text: string, isTarget: boolean): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be sent.
  const refused = isTarget ? /[\x00-\x20\x7f]|[^\x00-\xff]/g : /[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/g;
  return text.replace(refused, '');
}
