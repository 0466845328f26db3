import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Input } from './target.ts';

const corpusDirectory = fileURLToPath(new URL('../corpus/', import.meta.url));

export interface NamedInput {
  readonly name: string;
  readonly input: Input;
}

/** The inputs that are kept for a target: past findings, and what is worth trying each time. */
export function readCorpus(target: string): readonly NamedInput[] {
  const directory = join(corpusDirectory, target);
  return listFiles(directory).map((name) => ({ name, input: readCase(join(directory, name)) }));
}

export function readCase(path: string): Input {
  const fields = new Map<string, string>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, name, value] = /^(kind|text|hex): (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) fields.set(name, value);
  }
  const [kind, text, hex] = [fields.get('kind'), fields.get('text'), fields.get('hex')];
  if (kind === undefined || (text === undefined) === (hex === undefined)) {
    throw new Error(`${path}: needs a line "kind: …" and one of "text: …" and "hex: …"`);
  }
  return { kind, bytes: text === undefined ? Buffer.from(hex ?? '', 'hex') : Buffer.from(JSON.parse(text), 'latin1') };
}

/** As `readCase` reads it: what can be read is text, one character a byte, in JSON's quotation marks. */
export function formatCase({ kind, bytes }: Input, remarks: readonly string[]): string {
  const comment = remarks.flatMap((remark) => remark.split('\n')).map((line) => `# ${line}\n`);
  const readable = bytes.filter((byte) => byte >= 0x20 && byte < 0x7f).length;
  const content =
    readable >= 0.8 * bytes.length
      ? `text: ${JSON.stringify(bytes.toString('latin1'))}`
      : `hex: ${bytes.toString('hex')}`;
  return `${comment.join('')}kind: ${kind}\n${content}\n`;
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
