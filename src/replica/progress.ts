import type { MemberId, RaftStatus } from '../raft/index.ts';

/** What only the leader knows of the members. */
export interface LeaderProgress {
  readonly lastIndex: number;
  readonly members: ReadonlyMap<MemberId, MemberProgress>;
}

export interface MemberProgress {
  readonly matchIndex: number;
  /** `null`: never heard of. */
  readonly lastContactMs: number | null;
}

/** `undefined` if this member does not lead. `lastContactMs` is Infinity for a member that was never heard of. */
export function leaderProgress(
  status: RaftStatus,
  lastContactMs: (member: MemberId) => number,
): LeaderProgress | undefined {
  if (status.role !== 'leader') return undefined;
  const members = new Map<MemberId, MemberProgress>();
  members.set(status.id, { matchIndex: status.lastIndex, lastContactMs: 0 });
  for (const follower of status.followers) {
    if (follower.id === status.id) continue;
    const contactMs = lastContactMs(follower.id);
    members.set(follower.id, {
      matchIndex: follower.matchIndex,
      lastContactMs: Number.isFinite(contactMs) ? Math.round(contactMs) : null,
    });
  }
  return { lastIndex: status.lastIndex, members };
}

/** JSON: asked for by people and dashboards, a few times a second at most. `null`: this member does not lead. */
export function encodeProgress(progress: LeaderProgress | undefined): Buffer {
  return Buffer.from(
    JSON.stringify(progress === undefined ? null : { lastIndex: progress.lastIndex, members: [...progress.members] }),
  );
}

/** `undefined` if the answerer does not lead or its answer is not one. */
export function decodeProgress(body: Uint8Array): LeaderProgress | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isRecord(parsed) || !isCount(parsed.lastIndex) || !Array.isArray(parsed.members)) return undefined;
  const members = new Map<MemberId, MemberProgress>();
  for (const row of parsed.members) {
    if (!Array.isArray(row)) return undefined;
    const [id, progress] = row;
    if (typeof id !== 'string' || !isRecord(progress) || !isCount(progress.matchIndex)) return undefined;
    const { matchIndex, lastContactMs } = progress;
    members.set(id, { matchIndex, lastContactMs: isCount(lastContactMs) ? lastContactMs : null });
  }
  return { lastIndex: parsed.lastIndex, members };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
