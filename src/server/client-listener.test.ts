import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { HttpClient } from '../api/rest/testing/http-client.ts';
import { open } from './index.ts';

test('client listener: a client that has said all is answered, whichever URL it has asked', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'balsa-listener-'));
  const node = await open({
    dataDir,
    listenClientUrls: ['http://127.0.0.1:0', 'http://localhost:0'],
    listenPeerUrls: ['http://127.0.0.1:0'],
  });
  t.after(async () => {
    await node.stop();
    await rm(dataDir, { recursive: true });
  });
  await node.ready;
  assert.equal(node.clientUrls.length, 2);
  for (const url of node.clientUrls) {
    const connection = await new HttpClient(url).connect();
    connection.socket.end('PUT /v1/kv/a HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx');
    assert.match(await connection.untilClosed(), /^HTTP\/1\.1 20[01] .*"key":"a".*\}\n$/s, url);
  }
});
