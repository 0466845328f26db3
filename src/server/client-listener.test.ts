import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:http2';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { HttpClient } from '../api/rest/testing/http-client.ts';
import { open } from './index.ts';

/** A member by itself, in a folder of its own; where it really listens. */
async function listening(t: TestContext, listenClientUrls: string[]): Promise<readonly string[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'balsa-listener-'));
  const node = await open({ dataDir, listenClientUrls, listenPeerUrls: ['http://127.0.0.1:0'] });
  t.after(async () => {
    await node.stop();
    await rm(dataDir, { recursive: true });
  });
  await node.ready;
  return node.clientUrls;
}

test('client listener: a client that has said all is answered, whichever URL it has asked', async (t) => {
  const urls = await listening(t, ['http://127.0.0.1:0', 'http://localhost:0']);
  assert.equal(urls.length, 2);
  for (const url of urls) {
    const connection = await new HttpClient(url).connect();
    connection.socket.end('PUT /v1/kv/a HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx');
    assert.match(await connection.untilClosed(), /^HTTP\/1\.1 20[01] .*"key":"a".*\}\n$/s, url);
  }
});

test('client listener: localhost takes gRPC and REST on each of its addresses', async (t) => {
  const urls = await listening(t, ['http://localhost:0']);
  assert.equal(urls.length, 1);
  const { port } = new URL(urls[0] ?? '');
  const loopback = Object.values(networkInterfaces()).flatMap((of = []) => of.filter(({ internal }) => internal));
  const hosts = loopback.map(({ address, family }) => (family === 'IPv6' ? `[${address}]` : address));
  for (const host of hosts.filter((host) => host === '127.0.0.1' || host === '[::1]')) {
    const answer = await new HttpClient(`http://${host}:${port}`).call('GET /version');
    assert.equal(answer.status, 200, host);
    const session = connect(`http://${host}:${port}`);
    await once(session, 'remoteSettings');
    session.destroy();
  }
});
