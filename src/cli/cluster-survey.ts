import { type BalsaClient, BalsaError, type ClusterStatus, type MemberStatus } from '../client/index.ts';

/** One member: what the leader knows of it, and what it says itself. */
export interface MemberRow {
  readonly name: string;
  readonly id: string;
  readonly endpoint: string;
  readonly lagEntries: number | null;
  /** Undefined if it did not answer, with the reason in `errors`. */
  readonly status: MemberStatus | undefined;
  readonly errors: readonly string[];
}

export interface Survey {
  /** Undefined if no member could tell. */
  readonly cluster: ClusterStatus | undefined;
  /** By name. */
  readonly rows: readonly MemberRow[];
}

/**
 * The members that any endpoint tells of; without such an answer, those of the `last` survey, or the endpoints themselves.
 */
export async function survey(client: BalsaClient, last?: Survey): Promise<Survey> {
  const cluster = await client.cluster().catch((reason: unknown) => {
    if (reason instanceof BalsaError) return undefined;
    throw reason;
  });
  const members =
    (cluster ?? last?.cluster)?.members.map(({ name, id, clientUrls, lagEntries }) => ({
      name,
      id,
      lagEntries,
      endpoint: clientUrls[0],
    })) ?? client.endpoints.map((endpoint) => ({ name: '?', id: '?', lagEntries: null, endpoint }));
  const rows = await Promise.all(
    members.map(async ({ endpoint, ...member }): Promise<MemberRow> => {
      // A member that never started has not told the cluster where clients reach it.
      if (endpoint === undefined) {
        return { ...member, endpoint: '?', status: undefined, errors: ['has never told the cluster its client URLs'] };
      }
      try {
        const status = await client.status({ endpoint });
        return { ...member, name: status.name, id: status.memberId, endpoint, status, errors: status.errors };
      } catch (reason) {
        return { ...member, endpoint, status: undefined, errors: [BalsaError.from(reason).detail] };
      }
    }),
  );
  return { cluster: cluster ?? last?.cluster, rows: rows.sort((one, other) => (one.name < other.name ? -1 : 1)) };
}

/** What is wrong with the cluster as a whole, in words; undefined if nothing is. */
export function complaint({ rows }: Survey): string | undefined {
  const silent = rows.filter((row) => row.status === undefined);
  if (silent.length > 0) return `${silent.length} of ${rows.length} members did not answer`;
  if (!rows.some((row) => row.status?.state === 'leader')) return 'the cluster has no leader';
  return undefined;
}
