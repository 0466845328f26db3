import { isUtf8 } from 'node:buffer';
import type { KeyValue } from '../../contract/kv.ts';
import { formatLeaseId } from '../../contract/lease.ts';

/** How bytes are written in JSON: as text where they are valid UTF-8, or always as base64. */
export type Encoding = 'auto' | 'base64';

export interface KeyValueFormat {
  readonly encoding: Encoding;
  readonly keysOnly: boolean;
}

/** `{"key","value","createRevision","modRevision","version","lease"?}`, as JSON text. */
export function keyValueJson(kv: KeyValue, format: KeyValueFormat): string {
  const value = format.keysOnly ? '' : `,${bytesMember('value', kv.value, format.encoding)}`;
  const lease = kv.lease === undefined ? '' : `,"lease":"${formatLeaseId(kv.lease)}"`;
  return (
    `{${bytesMember('key', kv.key, format.encoding)}${value}` +
    `,"createRevision":${kv.createRevision},"modRevision":${kv.modRevision},"version":${kv.version}${lease}}`
  );
}

/** `"key":"…"`, or `"keyBase64":"…"` where it is not text. */
export function bytesMember(name: 'key' | 'value', bytes: Uint8Array, encoding: Encoding): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (encoding === 'auto' && isUtf8(buffer)) return `"${name}":${JSON.stringify(buffer.toString())}`;
  return `"${name}Base64":"${buffer.toString('base64')}"`;
}
