import type { KeyRange, Revision } from '../contract/kv.ts';
import { readU64, writeU64 } from './byte-layout.ts';
import type { KeySpace, TableKey, TableRange } from './key-space.ts';
import { withoutPrefix } from './key-space.ts';

/**
 * Past versions stand under their key and mod revision. A key's bytes may contain one another's, so each zero byte is
 * written as `00 ff` and the key ends with `00 00`: then the order is that of the keys first, and of the revisions second.
 */
export function historyKey(keySpace: KeySpace, key: Uint8Array, modRevision: Revision): TableKey {
  const escaped = escapeKey(key, revisionBytes);
  writeU64(escaped, modRevision, escaped.length - revisionBytes);
  return keySpace.key('history', escaped);
}

/** Everything of the keys in a range. */
export function historyRange(keySpace: KeySpace, { start, end }: KeyRange): TableRange {
  return keySpace.range('history', {
    start: escapeKey(start, 0),
    end: end === undefined ? undefined : escapeKey(end, 0),
  });
}

/** The versions of one key whose mod revisions are at most that. */
export function versionsUpTo(keySpace: KeySpace, key: Uint8Array, modRevision: Revision): TableRange {
  return { gte: keySpace.key('history', escapeKey(key, 0)), lt: historyKey(keySpace, key, modRevision + 1) };
}

/** The places before and behind all versions of a key. */
export function versionsOf(keySpace: KeySpace, key: Uint8Array): TableRange {
  const gte = keySpace.key('history', escapeKey(key, 0));
  const behind = Buffer.from(withoutPrefix(gte.bytes));
  behind[behind.length - 1] = 0x01;
  return { gte, lt: keySpace.key('history', behind) };
}

export function parseHistoryKey(tableKey: Buffer): { readonly key: Buffer; readonly modRevision: Revision } {
  const escaped = withoutPrefix(tableKey);
  const end = escaped.length - revisionBytes;
  return { key: unescapeKey(escaped.subarray(0, end)), modRevision: readU64(escaped, end) };
}

/** Ends with `extraBytes` that are left to be filled in. */
function escapeKey(key: Uint8Array, extraBytes: number): Buffer {
  let zeros = 0;
  for (let at = key.indexOf(0); at !== -1; at = key.indexOf(0, at + 1)) zeros++;
  const escaped = Buffer.allocUnsafe(key.length + zeros + terminatorBytes + extraBytes);
  let to = key.length;
  if (zeros === 0) {
    escaped.set(key, 0);
  } else {
    to = 0;
    for (const byte of key) {
      escaped[to++] = byte;
      if (byte === 0) escaped[to++] = 0xff;
    }
  }
  escaped[to] = 0;
  escaped[to + 1] = 0;
  return escaped;
}

function unescapeKey(escaped: Buffer): Buffer {
  const end = escaped.length - terminatorBytes;
  if (escaped.indexOf(0) >= end) return escaped.subarray(0, end);
  const key = Buffer.allocUnsafe(end);
  let to = 0;
  for (let at = 0; at < end; at++) {
    key[to++] = escaped[at] as number;
    if (escaped[at] === 0) at++;
  }
  return key.subarray(0, to);
}

const terminatorBytes = 2;
const revisionBytes = 8;
