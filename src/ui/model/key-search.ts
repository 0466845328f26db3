import type { KeyValueJson } from './answers.ts';
import { jsonLines } from './api.ts';
import { percentEncode } from './bytes.ts';
import type { KeyRow } from './key-list.ts';
import { keyText } from './key-text.ts';
import { keyOf } from './key-values.ts';

export interface SearchProgress {
  readonly scanned: number;
  readonly found: readonly KeyRow[];
  /** `full`: there may be more, but nobody reads so many. */
  readonly state: 'scanning' | 'done' | 'full';
}

const foundMax = 5000;
/** The browser gets to draw at least that often. */
const sliceMs = 12;

/** Keys of a prefix whose text contains what is looked for, in any case; `*` stands for anything. */
export async function* searchKeys(
  prefix: Uint8Array,
  wanted: string,
  signal: AbortSignal,
): AsyncGenerator<SearchProgress, void> {
  const pattern = searchPattern(wanted);
  const found: KeyRow[] = [];
  let scanned = 0;
  let sliceEnd = performance.now() + sliceMs;
  const query = { prefix: percentEncode(prefix), keysOnly: true };
  for await (const json of jsonLines<KeyValueJson>('/v1/kv', { query, signal })) {
    scanned++;
    const key = keyOf(json);
    if (pattern.test(keyText(key))) {
      found.push({ kind: 'key', key, modRevision: json.modRevision, version: json.version, lease: json.lease });
      if (found.length === foundMax) {
        yield { scanned, found, state: 'full' };
        return;
      }
    }
    if (performance.now() < sliceEnd) continue;
    yield { scanned, found, state: 'scanning' };
    await new Promise((resolve) => setTimeout(resolve));
    sliceEnd = performance.now() + sliceMs;
  }
  yield { scanned, found, state: 'done' };
}

export function searchPattern(wanted: string): RegExp {
  const parts = wanted.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('.*'), 'iu');
}
