import { hexByte, textOf } from '../model/bytes.ts';

export type ValueFormat = 'text' | 'json' | 'hex';

/** How a value is best shown: as JSON if it is an object or a list of it, as text if it is text, else as bytes. */
export function formatOf(value: Uint8Array): ValueFormat {
  const text = textOf(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what makes it no text
  if (text === undefined || /[\x00-\x08\x0e-\x1f]/.test(text)) return 'hex';
  return /^\s*[[{]/.test(text) && prettyJson(text) !== undefined ? 'json' : 'text';
}

export function valueText(value: Uint8Array, format: ValueFormat): string {
  if (format === 'hex') return hexDump(value);
  const text = textOf(value);
  if (text === undefined) return hexDump(value);
  return format === 'json' ? (prettyJson(text) ?? text) : text;
}

/** Numbers stay as they are written: a large one would lose digits if it were read. */
function prettyJson(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const pretty: string[] = [];
  let depth = 0;
  let previous = '';
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+/g)) {
    const isFirst = previous === '{' || previous === '[';
    const isEnd = token === '}' || token === ']';
    if (isEnd) depth--;
    if (isEnd ? !isFirst : isFirst || previous === ',') pretty.push('\n', '  '.repeat(depth));
    if (token === '{' || token === '[') depth++;
    pretty.push(token === ':' ? ': ' : token);
    previous = token;
  }
  return pretty.join('');
}

/** As `hexdump -C` has it, sixteen bytes a line. */
export function hexDump(value: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < value.length; at += 16) {
    const row = value.subarray(at, at + 16);
    const hex = Array.from(row, hexByte).join(' ').padEnd(47);
    const text = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex}  ${text}`);
  }
  return lines.join('\n');
}

/** Bytes from pairs of hexadecimal digits, as many spaces and line ends between them as one likes. */
export function parseHex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/\s+/g, '');
  if (/[^0-9a-f]/i.test(digits) || digits.length % 2 !== 0) {
    throw new SyntaxError('Write bytes as pairs of hexadecimal digits, such as 00 ff 7a.');
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Pairs of hexadecimal digits, to be changed by hand. */
export function hexDigits(value: Uint8Array): string {
  return Array.from(value, hexByte)
    .join(' ')
    .replace(/(.{47}) /g, '$1\n');
}
