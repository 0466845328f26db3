import { chmodSync } from 'node:fs';

// npm sets the bit for an installed package, not for `npx balsa` in a clone.
chmodSync(new URL('../dist/cli/balsa.cjs', import.meta.url), 0o755);
