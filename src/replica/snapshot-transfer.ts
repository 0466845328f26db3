import type { Configuration, LogIndex, Snapshot, Term } from '../raft/index.ts';

/**
 * What a follower asks its leader to be given the state machine's content, over a connection of its own:
 *
 *     open ─▶ what it will be ─▶ chunk 0 ─▶ chunk 1 ─▶ … ─▶ the last one
 *
 * A question that was lost is asked again: the chunk before is kept for that. Every answer to a question for a chunk
 * carries the SHA-256 of everything so far, from the description on: a chunk that is damaged, missing, doubled or another
 * one's is noticed where it comes, and asked for again; the last digest stands for the whole.
 */
export interface ChunkQuestion {
  /** Of the transfer, as the answer to `open` named it. */
  readonly transfer: number;
  readonly chunk: number;
}

export interface TransferDescription extends Snapshot {
  readonly transfer: number;
  /** About as many of keys and values, to show progress. */
  readonly bytesExpected: number;
}

export type ChunkAnswer =
  /** There is no such transfer any more. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'data'; readonly digest: Uint8Array; readonly data: Uint8Array }
  /** There are no more. */
  | { readonly kind: 'end'; readonly digest: Uint8Array };

/** As long as a chunk is, but for the last one. */
export const chunkBytes = 512 * 1024;

/** What the description says of the layout of the chunks that follow. */
const chunkFormat = 1;

const chunkKinds = { gone: 0, data: 1, end: 2 } as const;
const digestBytes = 32;

/** Layout: transfer (u32), chunk (u32). */
export function encodeChunkQuestion({ transfer, chunk }: ChunkQuestion): Buffer {
  const body = Buffer.allocUnsafe(8);
  body.writeUInt32BE(transfer, 0);
  body.writeUInt32BE(chunk, 4);
  return body;
}

/** Undefined if it is none. */
export function decodeChunkQuestion(body: Uint8Array): ChunkQuestion | undefined {
  if (body.length !== 8) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return { transfer: view.getUint32(0), chunk: view.getUint32(4) };
}

/** Layout: kind (u8); unless the transfer is gone, digest and data. */
export function encodeChunkAnswer(answer: ChunkAnswer): Buffer {
  const kind = Buffer.of(chunkKinds[answer.kind]);
  if (answer.kind === 'gone') return kind;
  return Buffer.concat(answer.kind === 'data' ? [kind, answer.digest, answer.data] : [kind, answer.digest]);
}

/** Undefined if it is none. The result holds views of `body`. */
export function decodeChunkAnswer(body: Uint8Array): ChunkAnswer | undefined {
  const [kind] = body;
  if (kind === chunkKinds.gone) return body.length === 1 ? { kind: 'gone' } : undefined;
  const [digest, data] = [body.subarray(1, 1 + digestBytes), body.subarray(1 + digestBytes)];
  if (digest.length < digestBytes) return undefined;
  if (kind === chunkKinds.data) return data.length > 0 ? { kind: 'data', digest, data } : undefined;
  return kind === chunkKinds.end && data.length === 0 ? { kind: 'end', digest } : undefined;
}

/** JSON: once for each transfer. */
export function encodeDescription(description: TransferDescription): Buffer {
  return Buffer.from(JSON.stringify({ ...description, chunkFormat }));
}

/** Undefined if it is none. */
export function decodeDescription(body: Uint8Array): TransferDescription | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { transfer, index, term, configuration, bytesExpected, ...rest } = parsed as Record<string, unknown>;
  if (rest.chunkFormat !== chunkFormat) return undefined;
  if (!isCount(transfer) || !isCount(index) || !isCount(term) || !isCount(bytesExpected)) return undefined;
  const members = configurationOf(configuration);
  if (members === undefined || index === 0 || term === 0) return undefined;
  return { transfer, index: index as LogIndex, term: term as Term, configuration: members, bytesExpected };
}

function configurationOf(value: unknown): Configuration | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = value as Record<string, unknown>;
  if (!isIds(voters) || !isIds(votersOutgoing) || !isIds(learners) || !isIds(learnersNext)) return undefined;
  if (typeof autoLeave !== 'boolean' || voters.length === 0) return undefined;
  return { voters, votersOutgoing, learners, learnersNext, autoLeave };
}

function isIds(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((id) => typeof id === 'string' && /^[1-9a-f][0-9a-f]{0,15}$/.test(id));
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
