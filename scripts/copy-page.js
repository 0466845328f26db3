import { cpSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// What the page at /ui has beside its modules: it loads nothing from elsewhere, fonts included.
const page = new URL('../dist/ui/', import.meta.url);
for (const part of ['index.html', 'icon.svg', 'style']) {
  cpSync(new URL(`../src/ui/${part}`, import.meta.url), new URL(part, page), { recursive: true });
}

const fonts = new URL('fonts/', page);
mkdirSync(fonts, { recursive: true });
for (const name of ['inter', 'jetbrains-mono']) {
  const font = fileURLToPath(import.meta.resolve(`@fontsource-variable/${name}/files/${name}-latin-wght-normal.woff2`));
  cpSync(font, new URL(`${name}.woff2`, fonts));
  cpSync(
    new URL(`../node_modules/@fontsource-variable/${name}/LICENSE`, import.meta.url),
    new URL(`${name}.LICENSE`, fonts),
  );
}
