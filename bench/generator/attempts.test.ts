import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Server as NetServer } from 'node:net';
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
    attempts.begin({ ...job, timeoutMs: 500, targets: [{ cluster: 'balsa', url: silent.url }, target] });
    const first = await attempts.firstAcknowledged(0);
    const second = await attempts.firstAcknowledged(first);
    const { sentMicros, acknowledgedMicros, lastFailure } = await attempts.end();
    const acknowledged = [...acknowledgedMicros.keys()].filter((i) => !Number.isNaN(acknowledgedMicros[i]));
    assert.ok(acknowledged.every((attempt) => attempt % 2 === 1));
    assert.equal(first, Math.min(...acknowledged.map((i) => acknowledgedMicros[i] ?? Number.NaN)));
    const later = acknowledged.filter((i) => (sentMicros[i] ?? Number.NaN) > first);
    assert.equal(second, Math.min(...later.map((i) => acknowledgedMicros[i] ?? Number.NaN)));
    assert.match(lastFailure ?? '', /within 500 ms/);
    // What was given up may have been done; each has a key of its own.
    const count = await client.count('a/');
    assert.ok(count >= acknowledged.length && count <= sentMicros.length / 2, `${count} of ${acknowledged.length}`);
    assert.equal(await client.get('a/00000008', { stale: false }), 'small');
  } finally {
    client.close();
    await node.stop();
    rmSync(directory, { recursive: true });
  }
});

for (const [cluster, start] of [
  ['balsa', silentServer],
  ['etcd', silentGrpcServer],
] as const) {
  it(`attempts: that none succeeded at ${cluster} is said with the last failure`, { timeout: 30_000 }, async (t) => {
    await using silent = await start();
    const attempts = new Attempts();
    attempts.begin({ ...job, targets: [{ cluster, url: silent.url }] });
    // Rejects where the test has come to its end: they are ended then.
    t.after(() => attempts.end().catch(() => undefined));
    assert.throws(() => attempts.begin({ ...job, targets: [] }), /under way already/);
    // On a busy machine none may have failed yet.
    for (let text = 'none'; text.endsWith('none'); ) {
      const reason = await attempts.firstAcknowledged(0, 200).catch((reason: Error) => reason);
      assert.ok(reason instanceof Error);
      text = reason.message;
      assert.match(text, /^no put succeeded within 200 ms; .*(none| within 50 ms)/);
    }
    const { sentMicros, acknowledgedMicros } = await attempts.end();
    assert.ok(sentMicros.length > 1);
    assert.ok(acknowledgedMicros.every(Number.isNaN));
    await assert.rejects(attempts.end(), /no attempts are under way/);
  });
}

interface Silent extends AsyncDisposable {
  readonly url: string;
}

/** Takes requests and never answers. */
async function silentServer(): Promise<Silent> {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: urlOf(server),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

async function silentGrpcServer(): Promise<Silent> {
  const sessions: ServerHttp2Session[] = [];
  const server = createHttp2Server().on('stream', (stream) => stream.on('error', () => undefined));
  server.on('session', (session) => sessions.push(session));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: urlOf(server),
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

function urlOf(server: NetServer): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
