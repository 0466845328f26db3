import { concat, hexByte, textOf, utf8 } from './bytes.ts';

/**
 * Any key as text that can be read, typed and put into a link: what is no text is `\xNN`, a backslash is two of them.
 * `parseKeyText` is the way back.
 */
export function keyText(key: Uint8Array): string {
  const text = textOf(key);
  if (text !== undefined) return text.replace(/\\/g, '\\\\').replace(unseen, escapeCharacter);
  let escaped = '';
  for (const byte of key) {
    if (byte === 0x5c) escaped += '\\\\';
    else escaped += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${hexByte(byte)}`;
  }
  return escaped;
}

/** Controls, and characters that change how their neighbours are shown. */
const unseen = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

function escapeCharacter(character: string): string {
  return Array.from(utf8(character), (byte) => `\\x${hexByte(byte)}`).join('');
}

/** @throws SyntaxError that says what to write instead. */
export function parseKeyText(text: string): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (const [part] of text.matchAll(/\\x[0-9a-fA-F]{2}|\\\\|\\|[^\\]+/g)) {
    if (part === '\\') throw new SyntaxError('Write \\\\ for a backslash, and \\xNN for a byte.');
    if (part === '\\\\') parts.push(Uint8Array.of(0x5c));
    else parts.push(part.startsWith('\\') ? Uint8Array.of(Number.parseInt(part.slice(2), 16)) : utf8(part));
  }
  return concat(...parts);
}
