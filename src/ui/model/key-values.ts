import type { KeyValueJson, RangeJson } from './answers.ts';
import { ApiError, getJson, request } from './api.ts';
import { fromBase64, keyAfter, percentEncode, textOf, toBase64, utf8 } from './bytes.ts';

export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: string | undefined;
}

export function keyOf(json: { readonly key?: string; readonly keyBase64?: string }): Uint8Array {
  return json.keyBase64 === undefined ? utf8(json.key ?? '') : fromBase64(json.keyBase64);
}

export function keyValueOf(json: KeyValueJson): KeyValue {
  const { createRevision, modRevision, version, lease } = json;
  const value = json.valueBase64 === undefined ? utf8(json.value ?? '') : fromBase64(json.valueBase64);
  return { key: keyOf(json), value, createRevision, modRevision, version, lease };
}

/**
 * The present key-value, or that of a revision; undefined if there is none. Read as a range of one key: in a path,
 * browsers take the keys `.` and `..` for something else.
 */
export async function readKey(
  key: Uint8Array,
  options: { readonly revision?: number; readonly signal?: AbortSignal } = {},
): Promise<{ readonly kv: KeyValue | undefined; readonly revision: number }> {
  const page = await getJson<RangeJson>('/v1/kv', {
    query: {
      start: percentEncode(key),
      end: percentEncode(keyAfter(key)),
      ...(options.revision !== undefined && { revision: options.revision }),
    },
    ...(options.signal !== undefined && { signal: options.signal }),
  });
  const [json] = page.kvs;
  return { kv: json === undefined ? undefined : keyValueOf(json), revision: page.revision };
}

/** What came of a compare-and-swap; `conflict` has what is there instead. */
export type SwapOutcome =
  | { readonly kind: 'done'; readonly revision: number }
  | { readonly kind: 'conflict'; readonly present: KeyValue | undefined };

/** Writes the value if the key's mod revision is still that; 0: if there is no such key. */
export function swapValue(
  key: Uint8Array,
  modRevision: number,
  value: Uint8Array,
  lease: string | undefined,
): Promise<SwapOutcome> {
  return swap(key, modRevision, {
    put: { ...keyJson(key), ...valueJson(value), ...(lease !== undefined && { lease }) },
  });
}

/** Deletes the key if its mod revision is still that. */
export function swapDelete(key: Uint8Array, modRevision: number): Promise<SwapOutcome> {
  return swap(key, modRevision, { delete: keyJson(key) });
}

async function swap(key: Uint8Array, modRevision: number, change: object): Promise<SwapOutcome> {
  const compare = modRevision === 0 ? { exists: false } : { modRevision: { '=': modRevision } };
  const body = {
    if: [{ ...keyJson(key), ...compare }],
    // biome-ignore lint/suspicious/noThenProperty: a word of the API; nobody awaits this object
    then: [change],
    else: [{ get: keyJson(key) }],
  };
  const response = await request('/v1/txn', { method: 'POST', body });
  const answer = (await response.json()) as {
    readonly succeeded: boolean;
    readonly revision: number;
    readonly results: readonly { readonly get?: { readonly kvs: readonly KeyValueJson[] } }[];
  };
  if (answer.succeeded) return { kind: 'done', revision: answer.revision };
  const [present] = answer.results[0]?.get?.kvs ?? [];
  return { kind: 'conflict', present: present === undefined ? undefined : keyValueOf(present) };
}

function keyJson(key: Uint8Array): object {
  const text = textOf(key);
  return text === undefined ? { keyBase64: toBase64(key) } : { key: text };
}

function valueJson(value: Uint8Array): object {
  const text = textOf(value);
  return text === undefined ? { valueBase64: toBase64(value) } : { value: text };
}

export function isCompacted(reason: unknown): reason is ApiError {
  return reason instanceof ApiError && reason.code === 'compacted';
}
