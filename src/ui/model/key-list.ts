import type { RangeJson } from './answers.ts';
import { getJson } from './api.ts';
import { equalBytes, keyAfter, percentEncode, prefixEnd, startsWith } from './bytes.ts';
import { keyOf } from './key-values.ts';

/** A line of the key browser: a key, or all keys that go on alike after a slash. */
export type KeyRow =
  | {
      readonly kind: 'key';
      readonly key: Uint8Array;
      readonly modRevision: number;
      readonly version: number;
      readonly lease: string | undefined;
    }
  | { readonly kind: 'folder'; readonly prefix: Uint8Array };

const slash = 0x2f;
const pageSize = 1000;

/**
 * The keys of a prefix as they were at one revision, a step at a time. With folders, what is below one is passed over:
 * the next step begins after it, so that a folder of a million keys costs one request.
 */
export class KeyList {
  readonly prefix: Uint8Array;
  readonly #folders: boolean;
  readonly #end: Uint8Array | undefined;
  rows: KeyRow[] = [];
  /** Of all keys of the prefix, those in folders too; undefined before the first step. */
  count: number | undefined;
  revision: number | undefined;
  isComplete = false;
  #from: Uint8Array | undefined;

  constructor(prefix: Uint8Array, { folders }: { readonly folders: boolean }) {
    this.prefix = prefix;
    this.#folders = folders;
    this.#from = prefix;
    this.#end = prefixEnd(prefix);
  }

  async more(signal: AbortSignal): Promise<void> {
    if (this.#from === undefined) return;
    const page = await getJson<RangeJson>('/v1/kv', { query: this.#query(this.#from), signal });
    this.revision ??= page.revision;
    this.count ??= page.count;
    const rows: KeyRow[] = [];
    let last: KeyRow | undefined = this.rows.at(-1);
    for (const json of page.kvs) {
      const row = this.#rowOf(keyOf(json), json);
      if (row.kind === 'folder' && last?.kind === 'folder' && equalBytes(row.prefix, last.prefix)) continue;
      rows.push(row);
      last = row;
    }
    this.rows = this.rows.concat(rows);
    this.#from = page.more && last !== undefined ? after(last) : undefined;
    this.isComplete = this.#from === undefined;
  }

  #query(from: Uint8Array): Readonly<Record<string, string | number | undefined>> {
    return {
      // An empty start is not a key; the first key there can be is a zero byte.
      start: from.length === 0 ? '%00' : percentEncode(from),
      end: this.#end === undefined ? undefined : percentEncode(this.#end),
      keysOnly: 'true',
      limit: pageSize,
      revision: this.revision,
    };
  }

  #rowOf(key: Uint8Array, json: RangeJson['kvs'][number]): KeyRow {
    const at = this.#folders ? key.indexOf(slash, this.prefix.length) : -1;
    if (at !== -1 && at < key.length - 1) return { kind: 'folder', prefix: key.slice(0, at + 1) };
    return { kind: 'key', key, modRevision: json.modRevision, version: json.version, lease: json.lease };
  }
}

function after(row: KeyRow): Uint8Array | undefined {
  return row.kind === 'key' ? keyAfter(row.key) : prefixEnd(row.prefix);
}

/** The prefix above, which ends with a slash or is empty. */
export function prefixAbove(prefix: Uint8Array): Uint8Array {
  const at = prefix.subarray(0, -1).lastIndexOf(slash);
  return prefix.slice(0, at + 1);
}

/** The folders on the way to a prefix, from the outermost, and the prefix itself. */
export function prefixSteps(prefix: Uint8Array): Uint8Array[] {
  const steps: Uint8Array[] = [];
  for (let at = prefix.indexOf(slash); at !== -1; at = prefix.indexOf(slash, at + 1))
    steps.push(prefix.slice(0, at + 1));
  if (steps.length === 0 ? prefix.length > 0 : !startsWith(steps.at(-1) as Uint8Array, prefix)) steps.push(prefix);
  return steps;
}
