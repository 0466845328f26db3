import { openLog } from '../logger.ts';

/**
 * A process whose log nobody reads: logs for a while, tells the test by the other channel how it went, and exits.
 * Argument: the number of lines.
 */
const lines = Number(process.argv[2]);
const log = openLog({ level: 'info', format: 'json', member: 'flood' });
const text = 'x'.repeat(1000);
const startedAtMs = performance.now();
for (let line = 0; line < lines; line++) log.info('flood', { line, text });
const loggedMs = performance.now() - startedAtMs;
const { rss } = process.memoryUsage();
process.send?.({ loggedMs, droppedLines: log.droppedLines, rssMegabytes: rss / 2 ** 20 });
process.once('message', async () => {
  await log.close();
  process.exit(0);
});
