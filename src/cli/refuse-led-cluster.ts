import { BalsaError, connect } from '../client/index.ts';
import type { DirectoryFacts } from '../server/offline.ts';
import { CommandError } from './exit-codes.ts';

/** Of a cluster with a leader nothing is lost, and a second one beside it would be made. */
export async function refuseLedCluster({ memberId, members }: DirectoryFacts): Promise<void> {
  const others = members.filter(({ id }) => id !== memberId);
  const ids = new Set(members.map(({ id }) => id));
  await Promise.all(
    others.flatMap(({ name, clientUrls }) =>
      clientUrls.map(async (url) => {
        const status = await connect({ endpoints: url, timeoutMs: askMs })
          .status()
          .catch((reason: unknown) => {
            if (reason instanceof BalsaError) return undefined;
            throw reason;
          });
        if (status === undefined || status.leader === null || !ids.has(status.memberId)) return;
        throw new CommandError(
          `${name} answers at ${url}, and its cluster has a leader: its quorum is not lost. Mend it with balsa member ` +
            'replace, or stop the others first if a new cluster is meant all the same',
        );
      }),
    ),
  );
}

const askMs = 1000;
