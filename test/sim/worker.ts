import type { Account } from './run.ts';
import { type SeedSearch, searchSeeds } from './search-seeds.ts';

/** What a worker tells whoever started it. */
export type FromWorker =
  | { readonly kind: 'run'; readonly account: Account }
  | { readonly kind: 'done'; readonly failedSeed: number | undefined }
  | { readonly kind: 'broken'; readonly reason: string };

/** One core's share of a search: seeds come in by message, in small portions. */
process.on('message', (search: SeedSearch) => {
  searchSeeds(search, (account) => tell({ kind: 'run', account })).then(
    ({ failure }) => tell({ kind: 'done', failedSeed: failure?.plan.seed }),
    (reason: unknown) =>
      tell({ kind: 'broken', reason: reason instanceof Error ? (reason.stack ?? '') : String(reason) }),
  );
});

// Whoever asked is gone.
process.on('disconnect', () => process.exit());

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}
