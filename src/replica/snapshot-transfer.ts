import type { Configuration, LogIndex, Snapshot, Term } from '../raft/index.ts';

/**
 * What a follower asks its leader to be given the state machine's content, over a connection of its own:
 *
 *     open ─▶ what it will be ─▶ chunk 0 ─▶ chunk 1 ─▶ … ─▶ the last one
 *
 * A question that was lost is asked again: the chunk before is kept for that.
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

/** About as long as a chunk is; a large record makes it longer. */
export const chunkBytes = 512 * 1024;

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

/** JSON: once for each transfer. */
export function encodeDescription(description: TransferDescription): Buffer {
  return Buffer.from(JSON.stringify(description));
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
  const { transfer, index, term, configuration, bytesExpected } = parsed as Record<string, unknown>;
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
