import { once } from 'node:events';
import type { Argv } from 'yargs';

/** How a command writes what it found. */
export type OutputFormat = 'simple' | 'table' | 'json';

export function withOutput<T>(program: Argv<T>): Argv<T & { readonly output: OutputFormat | undefined }> {
  return program.option('output', {
    alias: 'o',
    type: 'string',
    requiresArg: true,
    choices: ['simple', 'table', 'json'] as const,
    describe: 'simple for scripts, table for people, json for programs',
  });
}

// A reader of the output that goes away (`balsa list | head`) has what it wanted.
process.stdout.on('error', (reason: NodeJS.ErrnoException) => {
  if (reason.code === 'EPIPE') process.exit(0);
  throw reason;
});

/** Writes data to standard output, and waits while its reader is slow, so that a long list needs no memory. */
export async function write(data: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(data)) await once(process.stdout, 'drain');
}

export async function writeJson(value: unknown): Promise<void> {
  await write(`${JSON.stringify(value)}\n`);
}

/** Before the process exits: a pipe is written in the background. */
export async function flushOutput(): Promise<void> {
  if (process.stdout.writableLength > 0) await new Promise((resolve) => process.stdout.write('', resolve));
}

/** Columns as wide as their widest cell, two spaces apart. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${[header, ...rows].map(line).join('\n')}\n`;
}

/** Bytes for a person's eyes: what could move the cursor or is not text is escaped. */
export function printable(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { fatal: false }).decode(bytes);
  if (text.includes('\uFFFD')) {
    return Array.from(bytes, (byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : hexEscape(byte),
    ).join('');
  }
  return text.replace(/\p{Cc}/gu, (character) => hexEscape(character.codePointAt(0) ?? 0));
}

function hexEscape(code: number): string {
  return `\\x${code.toString(16).padStart(2, '0')}`;
}
