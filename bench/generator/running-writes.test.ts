import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { open } from '../../src/server/index.ts';
import { openClient } from './open-client.ts';
import { RunningWrites } from './running-writes.ts';

it('running writes: go on until they are ended, several a millisecond, and every one is accounted for', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-bench-test-'));
  const anyPort = ['http://127.0.0.1:0'];
  const node = await open({ dataDir: join(directory, 'data'), listenClientUrls: anyPort, listenPeerUrls: anyPort });
  await node.ready;
  const target = { cluster: 'balsa', url: node.clientUrls[0] ?? '' } as const;
  const client = openClient(target, 1);
  const writes = new RunningWrites();
  try {
    writes.begin({ target, prefix: 'w/', keys: 500, valueBytes: 50, writesPerSecond: 5000, writes: 1e6 });
    assert.throws(() => writes.begin({ target, prefix: '', keys: 1, valueBytes: 1, writesPerSecond: 1, writes: 1 }));
    while ((await client.count('w/')) < 500) await delay(20);
    const { sentMicros, acknowledgedMicros, lastFailure } = await writes.end();
    assert.equal(lastFailure, undefined);
    assert.equal(acknowledgedMicros.length, sentMicros.length);
    assert.ok(sentMicros.length >= 500 && sentMicros.length < 1e6, `${sentMicros.length} writes`);
    for (const [i, sent] of sentMicros.entries())
      assert.ok((acknowledgedMicros[i] ?? Number.NaN) >= sent, `write ${i}`);
    await assert.rejects(writes.end());
  } finally {
    client.close();
    await node.stop();
    rmSync(directory, { recursive: true });
  }
});
