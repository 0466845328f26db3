import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { open } from '../../src/server/index.ts';
import { Attempts } from './attempts.ts';
import { openClient } from './open-client.ts';

const job = { prefix: 'a/', first: 7, intervalMs: 2, timeoutMs: 50 };

it('attempts: a server that never answers hides no success of the other', { timeout: 30_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-bench-test-'));
  const anyPort = ['http://127.0.0.1:0'];
  const node = await open({ dataDir: join(directory, 'data'), listenClientUrls: anyPort, listenPeerUrls: anyPort });
  await node.ready;
  await using silent = await silentServer();
  const target = { cluster: 'balsa', url: node.clientUrls[0] ?? '' } as const;
  const client = openClient(target, 1);
  const attempts = new Attempts();
  try {
    attempts.begin({ ...job, targets: [{ cluster: 'balsa', url: silent.url }, target] });
    const first = await attempts.firstAcknowledged(0);
    const second = await attempts.firstAcknowledged(first);
    const { sentMicros, acknowledgedMicros, lastFailure } = await attempts.end();
    const acknowledged = [...acknowledgedMicros.keys()].filter((i) => !Number.isNaN(acknowledgedMicros[i]));
    assert.ok(acknowledged.every((attempt) => attempt % 2 === 1));
    assert.equal(first, Math.min(...acknowledged.map((i) => acknowledgedMicros[i] ?? Number.NaN)));
    const later = acknowledged.filter((i) => (sentMicros[i] ?? Number.NaN) > first);
    assert.equal(second, Math.min(...later.map((i) => acknowledgedMicros[i] ?? Number.NaN)));
    assert.match(lastFailure ?? '', /within 50 ms/);
    assert.equal(await client.count('a/'), acknowledged.length, 'each has a key of its own');
    assert.equal(await client.get('a/00000008', { stale: false }), 'small');
  } finally {
    client.close();
    await node.stop();
    rmSync(directory, { recursive: true });
  }
});

it('attempts: that none succeeded is said with the last failure', async () => {
  await using silent = await silentServer();
  const attempts = new Attempts();
  attempts.begin({ ...job, targets: [{ cluster: 'balsa', url: silent.url }] });
  assert.throws(() => attempts.begin({ ...job, targets: [] }), /under way already/);
  await assert.rejects(attempts.firstAcknowledged(0, 200), /no put succeeded within 200 ms; .* within 50 ms/);
  await attempts.end();
  await assert.rejects(attempts.end(), /no attempts are under way/);
});

/** Takes requests and never answers. */
async function silentServer(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}
