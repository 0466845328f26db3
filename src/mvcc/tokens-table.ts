import { crc32c } from '../base/checksum.ts';
import { ByteReader, ByteWriter, writeU64 } from './byte-layout.ts';
import { DamagedValue } from './damaged-value.ts';
import type { Draft } from './draft.ts';
import type { TableKey } from './key-space.ts';
import { type CommandResult, decodeResult, encodeResult } from './result.ts';
import { checkSeal, seal, sealBytes } from './sealed.ts';
import type { Tables } from './tables.ts';

/** What is remembered of writes that carry a token, on every member alike; the oldest go first. */
export const tokenLimits = { countMax: 100_000, bytesMax: 64 * 1024 * 1024 } as const;

/** The answer of a write that was done before, or `token_reused` if the token belonged to another write. */
export function recall(tables: Tables, token: string, command: Uint8Array): CommandResult | undefined {
  const key = tokenKey(tables, token);
  const bytes = tables.buffer.get(key);
  if (bytes === undefined) return undefined;
  const { digest, result } = decodeToken(key.bytes, bytes);
  if (digest === digestOf(command)) return result;
  return { kind: 'refused', revision: tables.state.revision, refusal: 'token_reused', figures: [] };
}

/** In the draft of the write itself, so that both are on the disk or neither. */
export function remember(
  tables: Tables,
  draft: Draft,
  token: string,
  command: Uint8Array,
  result: CommandResult,
): void {
  const key = tokenKey(tables, token);
  const record = encodeToken(key.bytes, digestOf(command), result);
  const { state } = tables;
  const place = placeKey(tables, state.tokenNext);
  draft.write(key, record);
  draft.write(place, encodePlace(place.bytes, token, record.length));
  state.tokenNext++;
  state.tokenBytes += record.length;
  forgetOldest(tables, draft);
}

function forgetOldest(tables: Tables, draft: Draft): void {
  const { state } = tables;
  for (;;) {
    const count = state.tokenNext - state.tokenFirst;
    if (count <= tokenLimits.countMax && (state.tokenBytes <= tokenLimits.bytesMax || count <= 1)) return;
    const place = placeKey(tables, state.tokenFirst);
    const bytes = draft.read(place);
    if (bytes === undefined) throw new DamagedValue(place.bytes, 'it is missing');
    const oldest = decodePlace(place.bytes, bytes);
    draft.write(place, null);
    draft.write(tokenKey(tables, oldest.token), null);
    state.tokenFirst++;
    state.tokenBytes -= oldest.recordBytes;
  }
}

function tokenKey(tables: Tables, token: string): TableKey {
  return tables.keySpace.key('tokens', Buffer.from(token, 'utf8'));
}

function placeKey(tables: Tables, place: number): TableKey {
  const bytes = Buffer.allocUnsafe(8);
  writeU64(bytes, place, 0);
  return tables.keySpace.key('tokenOrder', bytes);
}

/** Tells a token that is used again from one that is used for something else. */
function digestOf(command: Uint8Array): number {
  return (crc32c(command) ^ command.length) >>> 0;
}

/** format u8, digest u32, the encoded result, seal. */
function encodeToken(tableKey: Buffer, digest: number, result: CommandResult): Buffer {
  const encoded = encodeResult(result);
  const writer = new ByteWriter(encoded.length + 16).u8(format).u32(digest).rest(encoded).u32(0);
  return seal(tableKey, writer.finish());
}

function decodeToken(tableKey: Buffer, bytes: Buffer): { readonly digest: number; readonly result: CommandResult } {
  checkSeal(tableKey, bytes, { what: 'token', format, bytesMin: 5 + sealBytes });
  const digest = bytes.readUInt32BE(1);
  return { digest, result: decodeResult(bytes.subarray(5, bytes.length - sealBytes)) };
}

/** format u8, bytes of the token's record u32, the token, seal. */
function encodePlace(tableKey: Buffer, token: string, recordBytes: number): Buffer {
  return seal(tableKey, new ByteWriter(64).u8(format).u32(recordBytes).text(token).u32(0).finish());
}

function decodePlace(tableKey: Buffer, bytes: Buffer): { readonly token: string; readonly recordBytes: number } {
  checkSeal(tableKey, bytes, { what: 'place of a token', format, bytesMin: 9 + sealBytes });
  const reader = new ByteReader(bytes.subarray(1, bytes.length - sealBytes), 'place of a token');
  const recordBytes = reader.u32();
  return { recordBytes, token: reader.text() };
}

const format = 1;
