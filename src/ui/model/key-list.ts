import type { KeyValueJson, RangeJson } from './answers.ts';
import { getJson, openLines, type RequestOptions } from './api.ts';
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
/** Rows that are read in one step. */
const stepRows = 2000;
/** So many keys of one folder are read on, in case that it ends soon; then the rest of it is passed over. */
const folderKeysMax = 100;

/**
 * The keys of a prefix as they were at one revision, a step at a time. Of a folder only the first keys are read, so that
 * one with a million keys costs one request.
 */
export class KeyList {
  readonly prefix: Uint8Array;
  readonly #folders: boolean;
  readonly #end: Uint8Array | undefined;
  rows: KeyRow[] = [];
  revision: number | undefined;
  #from: Uint8Array | undefined;

  constructor(prefix: Uint8Array, { folders }: { readonly folders: boolean }) {
    this.prefix = prefix;
    this.#folders = folders;
    this.#from = prefix;
    this.#end = prefixEnd(prefix);
  }

  get isComplete(): boolean {
    return this.#from === undefined;
  }

  /** Of all keys of the prefix, those in folders too. */
  async count(signal: AbortSignal): Promise<number> {
    const query = { prefix: percentEncode(this.prefix), countOnly: true, revision: this.revision };
    return (await getJson<RangeJson>('/v1/kv', { query, signal })).count;
  }

  async more(signal: AbortSignal): Promise<void> {
    const rows: KeyRow[] = [];
    while (this.#from !== undefined && rows.length < stepRows && !signal.aborted) {
      this.#from = await this.#read(this.#from, rows, signal);
    }
    this.rows = this.rows.concat(rows);
  }

  /** Adds what begins there; returns where the rest begins. */
  async #read(from: Uint8Array, rows: KeyRow[], signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { revision, lines } = await openLines<KeyValueJson>('/v1/kv', { query: this.#query(from), signal });
    this.revision ??= revision;
    let inFolder = 0;
    for await (const json of lines) {
      const key = keyOf(json);
      const row = this.#rowOf(key, json);
      const last = rows.at(-1) ?? this.rows.at(-1);
      if (row.kind === 'folder' && last?.kind === 'folder' && equalBytes(row.prefix, last.prefix)) {
        inFolder++;
        if (inFolder === folderKeysMax) return prefixEnd(row.prefix);
        continue;
      }
      inFolder = 0;
      rows.push(row);
      if (rows.length === stepRows) return row.kind === 'key' ? keyAfter(key) : prefixEnd(row.prefix);
    }
    return undefined;
  }

  #query(from: Uint8Array): RequestOptions['query'] & object {
    return {
      // An empty start is not a key; the first key that there can be is a zero byte.
      start: from.length === 0 ? '%00' : percentEncode(from),
      end: this.#end === undefined ? undefined : percentEncode(this.#end),
      keysOnly: true,
      revision: this.revision,
    };
  }

  #rowOf(key: Uint8Array, json: KeyValueJson): KeyRow {
    const at = this.#folders ? key.indexOf(slash, this.prefix.length) : -1;
    if (at !== -1 && at < key.length - 1) return { kind: 'folder', prefix: key.slice(0, at + 1) };
    return { kind: 'key', key, modRevision: json.modRevision, version: json.version, lease: json.lease };
  }
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
