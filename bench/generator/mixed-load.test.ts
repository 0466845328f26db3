import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type BalsaNode, open } from '../../src/server/index.ts';
import type { MixedJob } from './commands.ts';
import { MixedLoad } from './mixed-load.ts';
import { openClient } from './open-client.ts';

describe('puts and gets in turn', () => {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-bench-test-'));
  let node: BalsaNode;
  let job: MixedJob;

  before(async () => {
    const anyPort = ['http://127.0.0.1:0'];
    node = await open({ dataDir: join(directory, 'data'), listenClientUrls: anyPort, listenPeerUrls: anyPort });
    await node.ready;
    const target = { cluster: 'balsa', url: node.clientUrls[0] ?? '' } as const;
    job = { targets: [target], prefix: 'm/', keys: 2, valueBytes: 20 };
    const client = openClient(target, 1);
    for (const key of ['m/00000000', 'm/00000001']) await client.put({ key, value: 'x'.repeat(20) });
    client.close();
  });

  after(async () => {
    await node.stop();
    rmSync(directory, { recursive: true });
  });

  it('go on at their rate until they are ended, and every one is accounted for', async () => {
    const load = new MixedLoad();
    load.begin(job, 500);
    assert.throws(() => load.begin(job, 500), /under way already/);
    let sent = 0;
    while (sent < 100) {
      await delay(20);
      sent += load.take().sent;
    }
    const last = await load.end();
    assert.equal(last.failed, 0, last.lastFailure);
    assert.equal(load.take().sent, 0, 'what was taken is not told again');
    await assert.rejects(load.end());
  });

  it('are sent as fast as answers come', async () => {
    const { sent, failed, putMillis, getMillis } = await new MixedLoad().saturate(job, {
      outstanding: 4,
      seconds: 0.2,
    });
    assert.equal(failed, 0);
    assert.equal(putMillis.length + getMillis.length, sent);
    assert.ok(Math.abs(putMillis.length - getMillis.length) <= 4, `${putMillis.length} puts, ${getMillis.length} gets`);
  });

  it('fail where a key is not what it should be', async () => {
    const wanted = { ...job, prefix: 'nothing/', keys: 50_000_000 };
    const { failed, lastFailure } = await new MixedLoad().saturate(wanted, { outstanding: 2, seconds: 0.2 });
    assert.ok(failed > 0);
    assert.match(lastFailure ?? '', /nothing\/\d{8} has a value of undefined bytes/);
  });
});
