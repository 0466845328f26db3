import { inspect } from 'node:util';
import { type Config, open } from '../../../src/server/index.ts';
import { memoryOfThisProcess } from '../engine/memory-trend.ts';
import type { MemoryUse } from '../engine/target.ts';

/** What a tested member's process tells the one that started it. */
export type FromNode =
  | { readonly kind: 'started'; readonly clientUrl: string; readonly peerUrl: string }
  | ({ readonly kind: 'memory' } & MemoryUse);

const config = JSON.parse(process.argv[2] ?? '{}') as Partial<Config>;
process.once('disconnect', () => process.exit());
process.on('message', () => tell({ kind: 'memory', ...memoryOfThisProcess() }));

// Nothing here catches what nobody caught: it ends the process, as in production, and that is a finding.
const node = await open(config);
node.stopped.catch((reason: unknown) => {
  process.stderr.write(`the member had to stop: ${inspect(reason)}\n`);
  process.exit(70);
});
if ((config.initialCluster?.length ?? 1) === 1) await node.ready;
tell({ kind: 'started', clientUrl: node.clientUrls[0] ?? '', peerUrl: node.peerUrls[0] ?? '' });

function tell(message: FromNode): void {
  process.send?.(message);
}
