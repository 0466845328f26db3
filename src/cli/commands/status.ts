import type { CommandModule } from 'yargs';
import { type BalsaClient, BalsaError, type ClusterStatus, type MemberStatus } from '../../client/index.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { CommandError } from '../exit-codes.ts';
import { table, write, writeJson } from '../output.ts';

/** One member: what the leader knows of it, and what it says itself. */
interface MemberRow {
  readonly name: string;
  readonly id: string;
  readonly endpoint: string;
  readonly lagEntries: number | null;
  /** Undefined if it did not answer, with the reason in `errors`. */
  readonly status: MemberStatus | undefined;
  readonly errors: readonly string[];
}

/** Shows every member, also those that do not answer; ends with 1 if there is one or if there is no leader. */
export const statusCommand: CommandModule<object, ClientArguments> = {
  command: 'status',
  describe: 'Show all members of the cluster and what is wrong with them',
  builder: (program) =>
    withClientOptions(program)
      .example('$0 status', 'asks any member for the others, and each of them for its state')
      .example('$0 status -o json | jq .members[].errors', 'for programs')
      .example('$0 status -o simple', 'name, state and URL, separated by tabs'),
  handler: async (given) => {
    const client = openClient(given);
    const { cluster, rows } = await survey(client);
    switch (given.output) {
      case 'json':
        await writeJson({
          clusterId: cluster?.clusterId ?? null,
          leader: cluster?.leader ?? null,
          members: rows.map(rowJson),
        });
        break;
      case 'simple':
        for (const row of rows) await write(`${row.name}\t${row.status?.state ?? 'unreachable'}\t${row.endpoint}\n`);
        break;
      default:
        await write(table(header, rows.map(cells)));
    }
    const silent = rows.filter((row) => row.status === undefined);
    if (silent.length > 0) throw new CommandError(`${silent.length} of ${rows.length} members did not answer`);
    if (!rows.some((row) => row.status?.state === 'leader')) throw new CommandError('the cluster has no leader');
  },
};

/** The members that any endpoint tells of; without such an answer, the endpoints themselves. */
async function survey(client: BalsaClient): Promise<{ cluster: ClusterStatus | undefined; rows: MemberRow[] }> {
  const cluster = await client.cluster().catch((reason: unknown) => {
    if (reason instanceof BalsaError) return undefined;
    throw reason;
  });
  const members =
    cluster?.members.map(({ name, id, clientUrls, lagEntries }) => ({
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
  return { cluster, rows: rows.sort((one, other) => (one.name < other.name ? -1 : 1)) };
}

const header = ['NAME', 'ID', 'ENDPOINT', 'STATE', 'TERM', 'APPLIED', 'LAG', 'REVISION', 'VERSION', 'ERRORS'] as const;

function cells({ name, id, endpoint, status, lagEntries, errors }: MemberRow): string[] {
  const state = status?.state ?? 'unreachable';
  const facts = [status?.raftTerm, status?.appliedIndex, lagEntries, status?.revision, status?.version];
  return [name, id, endpoint, state, ...facts.map((fact) => String(fact ?? '-')), errors.join('; ')];
}

function rowJson({ status, id, ...row }: MemberRow): Readonly<Record<string, unknown>> {
  return { ...row, memberId: id, ...status, state: status?.state ?? 'unreachable', errors: row.errors };
}
