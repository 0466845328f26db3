import { CommandError } from './exit-codes.ts';

/**
 * The words of a line as etcdctl splits it (`Argify` of etcdctl/ctlv3/command/util.go): separated by spaces, or in
 * 'quotes', in which everything stands for itself, or in "quotes", as Go writes strings. A character of a word is a
 * byte: keys and values need not be UTF-8.
 */
export function goWords(line: string): string[] {
  const words: string[] = [];
  let rest = bytesOf(line).trim();
  while (rest !== '') {
    const word = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^'"\s]\S*)/.exec(rest)?.[0];
    if (word === undefined) throw new CommandError(`a quotation mark is not closed in: ${line.trim()}`);
    words.push(word.startsWith("'") ? word.slice(1, -1) : word.startsWith('"') ? goUnquoted(word) : word);
    rest = rest.slice(word.length).trimStart();
  }
  return words;
}

/** A character for each byte of the UTF-8. */
export function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}

export function bufferOf(word: string): Buffer {
  return Buffer.from(word, 'latin1');
}

/** What a string between quotation marks or backquotes means in Go (https://go.dev/ref/spec#String_literals). */
export function goUnquoted(quoted: string): string {
  const inside = quoted.slice(1, -1);
  if (quoted.startsWith('`')) return inside;
  return inside.replace(
    /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|.?)/g,
    (written, simple?: string, hex?: string, octal?: string, short?: string, long?: string) => {
      if (simple !== undefined) return simpleEscapes[simple] ?? '';
      const byte = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16);
      if (byte <= 0xff) return String.fromCharCode(byte);
      const point = Number.parseInt(short ?? long ?? '', 16);
      if (point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff)) return bytesOf(String.fromCodePoint(point));
      throw new CommandError(`${written} is no escape sequence of a Go string; a backslash is written as \\\\`);
    },
  );
}

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};
