import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PageFile {
  readonly type: string;
  readonly entityTag: string;
  readonly bytes: Buffer;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.LICENSE': 'text/plain; charset=utf-8',
};

/**
 * All files of the page by their paths, some 300 KB. They are read once, when somebody first asks for the page; a path
 * that is not among them is not looked for on the disk. Empty where the page is not built.
 */
export async function readPage(directory: URL): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  const root = fileURLToPath(directory);
  const names = await readdir(root, { recursive: true }).catch(() => []);
  for (const name of names) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const bytes = await readFile(join(root, name));
    const digest = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
    files.set(name.replaceAll(sep, '/'), { type, entityTag: `"${digest}"`, bytes });
  }
  return files.has('main.js') ? files : new Map();
}
