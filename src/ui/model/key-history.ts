import type { WatchEventJson, WatchLine } from './answers.ts';
import { ApiError, jsonLines } from './api.ts';
import { percentEncode } from './bytes.ts';
import { keyValueOf, readKey } from './key-values.ts';

/** What a key became at a revision. */
export interface KeyVersion {
  readonly kind: 'put' | 'delete';
  readonly modRevision: number;
  /** The count of puts since the key was created; 0 for a deletion. */
  readonly version: number;
  readonly value: Uint8Array;
  readonly lease: string | undefined;
}

export interface KeyHistory {
  /** Newest first. */
  readonly versions: readonly KeyVersion[];
  /** What was before that revision is no longer kept; 0: nothing was compacted. */
  readonly compactRevision: number;
  /** Older versions are kept by the cluster, but were too many or too large for the page. */
  readonly isCut: boolean;
}

const versionsMax = 2000;
const bytesMax = 32 * 1024 * 1024;

/**
 * All that is kept of a key, by a watch from the first revision that is. It is complete when it has come to the key's
 * present version or, where there is none, to the present revision.
 */
export async function readHistory(key: Uint8Array, signal: AbortSignal): Promise<KeyHistory> {
  const { kv, revision } = await readKey(key, { signal });
  const until = kv?.modRevision ?? revision;
  const told = new VersionList();
  let from = 1;
  for (;;) {
    const compactRevision = await follow(key, from, until, told, signal);
    if (compactRevision === undefined) break;
    // What the key was at the compact revision is kept, however old it is.
    const { kv: base } = await readKey(key, { revision: compactRevision, signal });
    told.clear();
    if (base !== undefined && base.modRevision < compactRevision) told.add({ kind: 'put', ...base });
    from = compactRevision;
    if (from > until) break;
  }
  return { versions: told.newestFirst(), compactRevision: from === 1 ? 0 : from, isCut: told.isCut };
}

/** Returns the compact revision if `from` is before it. */
async function follow(
  key: Uint8Array,
  from: number,
  until: number,
  told: VersionList,
  signal: AbortSignal,
): Promise<number | undefined> {
  const query = { key: percentEncode(key), revision: from, progress: '100ms' };
  for await (const line of jsonLines<WatchLine>('/v1/watch', { query, signal })) {
    if (line.type === 'compacted') return line.compactRevision;
    if (line.type === 'error') throw new ApiError(line.problem.code, line.problem.status, line.problem.detail);
    if (line.type === 'change') for (const event of line.events) told.add(versionOf(event));
    if (line.revision >= until) return undefined;
  }
  throw new ApiError('unreachable', 0, 'The connection to this member broke before the whole history was read.');
}

function versionOf({ type, kv }: WatchEventJson): KeyVersion {
  const { modRevision } = kv;
  if (type === 'delete') return { kind: 'delete', modRevision, version: 0, value: new Uint8Array(), lease: undefined };
  return { kind: 'put', ...keyValueOf({ createRevision: 0, version: 0, ...kv }) };
}

/** The newest versions, as many as a page can hold. */
class VersionList {
  isCut = false;
  #versions: KeyVersion[] = [];
  #bytes = 0;

  add(version: KeyVersion): void {
    this.#versions.push(version);
    this.#bytes += version.value.length;
    while (this.#versions.length > versionsMax || (this.#bytes > bytesMax && this.#versions.length > 1)) {
      this.#bytes -= this.#versions.shift()?.value.length ?? 0;
      this.isCut = true;
    }
  }

  clear(): void {
    this.#versions = [];
    this.#bytes = 0;
  }

  newestFirst(): readonly KeyVersion[] {
    return this.#versions.toReversed();
  }
}
