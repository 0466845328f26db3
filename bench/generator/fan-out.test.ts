import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type BalsaNode, open } from '../../src/server/index.ts';
import type { FanOutJob } from './commands.ts';
import { fanOut } from './fan-out.ts';
import { WatchSet } from './watch-set.ts';

describe('writes to watchers of one key', () => {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-bench-test-'));
  let node: BalsaNode;
  let job: FanOutJob;

  before(async () => {
    const anyPort = ['http://127.0.0.1:0'];
    node = await open({ dataDir: join(directory, 'data'), listenClientUrls: anyPort, listenPeerUrls: anyPort });
    await node.ready;
    const target = { cluster: 'balsa', url: node.clientUrls[0] ?? '' } as const;
    job = { target, key: 'one', valueBytes: 50, share: 1, shares: 3, seconds: 0.2 };
  });

  after(async () => {
    await node.stop();
    rmSync(directory, { recursive: true });
  });

  it('go on when the last one has come to all, and each comes to each', async () => {
    const watches = new WatchSet();
    const { target, key } = job;
    const all = { kind: 'key', key, first: 5, count: 4 } as const;
    await watches.open({ target, connections: 4, localAddress: '127.0.0.2', watches: all });
    const { sentMicros, acknowledgedMicros, lastFailure } = await fanOut(job, watches);
    assert.equal(lastFailure, undefined);
    assert.ok(sentMicros.length > 1);
    assert.equal(acknowledgedMicros.length, sentMicros.length);

    const { watchedIndex, write, deliveredMicros } = watches.takeDeliveries();
    assert.equal(write.length, 4 * sentMicros.length);
    for (const watcher of [5, 6, 7, 8]) {
      const own = write.filter((_, i) => watchedIndex[i] === watcher);
      assert.deepEqual(
        [...own],
        [...sentMicros.keys()].map((place) => 1 + 3 * place),
      );
    }
    for (const [place, sent] of sentMicros.entries()) {
      const earlier = deliveredMicros.filter((_, i) => (write[i] ?? 0) < 1 + 3 * place);
      assert.ok(earlier.every((delivered) => delivered <= sent));
    }
  });

  it('end with the first put that fails', async () => {
    const nobody = { delivered: () => Promise.resolve() };
    const target = { cluster: 'balsa', url: 'http://127.0.0.1:1' } as const;
    const { sentMicros, acknowledgedMicros, lastFailure } = await fanOut({ ...job, target }, nobody);
    assert.deepEqual([sentMicros.length, [...acknowledgedMicros]], [1, [Number.NaN]]);
    assert.match(lastFailure ?? '', /ECONNREFUSED/);
  });
});
