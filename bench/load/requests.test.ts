import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { decode } from '../../src/api/etcd/proto/binary.ts';
import { TxnResponse } from '../../src/api/etcd/proto/messages/kv.ts';
import { GrpcClient } from '../../src/api/etcd/testing/grpc-client.ts';
import { open } from '../../src/server/index.ts';
import { readRangeResponse } from '../generator/clients/etcd-messages.ts';
import { GrpcFrames } from '../generator/clients/grpc-frame.ts';
import { openClient } from '../generator/open-client.ts';
import { keyCount, keyOf, makeValue, prefixKeyCount, valueBytes } from '../keys.ts';
import { requestsOf } from './grpc-message.ts';
import { versionOf } from './run-tool.ts';
import { driveWithWrk } from './wrk.ts';

/** What a real server makes of the requests that the tools send: a run's checks see only sums of them. */
describe('requests of the benchmark', () => {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-bench-test-'));
  let node: Awaited<ReturnType<typeof open>>;
  let url: string;
  let grpc: GrpcClient;

  before(async () => {
    const anyPort = ['http://127.0.0.1:0'];
    node = await open({ dataDir: join(directory, 'data'), listenClientUrls: anyPort, listenPeerUrls: anyPort });
    await node.ready;
    url = node.clientUrls[0] ?? '';
    await fill(url);
    grpc = new GrpcClient(url);
  });
  after(async () => {
    grpc.close();
    await node.stop();
    rmSync(directory, { recursive: true });
  });

  it('gRPC: a transaction holds, and makes one revision of three puts', async () => {
    const earlier = await revision(url);
    const answer = await unary('/etcdserverpb.KV/Txn', requestsOf('txn', 1)(4321));
    const { succeeded, responses, header } = decode(TxnResponse, answer);
    assert.equal(succeeded, true);
    assert.equal(responses.length, 3);
    assert.equal(Number(header?.revision), earlier + 1);
  });

  it('gRPC: one answer holds all keys with a prefix', async () => {
    for (const index of [0, 9999]) {
      const answer = await unary('/etcdserverpb.KV/Range', requestsOf('prefix', 1)(index));
      assert.equal(readRangeResponse(answer).values.length, prefixKeyCount);
    }
  });

  const skip = versionOf('wrk') === undefined && 'wrk is not installed';

  it('REST: a transaction holds, and makes one revision', { skip }, async () => {
    const earlier = await revision(url);
    const { succeeded, failed } = await driveWithWrk({ url, work: 'txn', connections: 2, seconds: 1, seed: 1 });
    assert.equal(failed, 0);
    assert.ok(succeeded > 0);
    const revisions = (await revision(url)) - earlier;
    assert.ok(revisions >= succeeded && revisions <= succeeded + 2, `${revisions} revisions of ${succeeded}`);
  });

  it('REST: one page holds all keys with a prefix', { skip }, async () => {
    const result = await driveWithWrk({ url, work: 'prefix', connections: 2, seconds: 1, seed: 1 });
    assert.equal(result.failed, 0);
    assert.ok(result.bytesPerAnswer > prefixKeyCount * (keyOf(0).length + valueBytes), `${result.bytesPerAnswer}`);
    const page = await fetch(`${url}/v1/kv?prefix=bench/9&limit=1000`);
    const { kvs, more } = (await page.json()) as { readonly kvs: readonly unknown[]; readonly more: boolean };
    assert.deepEqual([kvs.length, more], [prefixKeyCount, false]);
  });

  async function unary(path: string, request: Buffer): Promise<Buffer> {
    const messages: Buffer[] = [];
    const frames = new GrpcFrames((message) => messages.push(message));
    const stream = grpc.raw(path);
    stream.on('data', (chunk: Buffer) => frames.push(chunk));
    stream.end(request);
    await once(stream, 'end');
    const [answer] = messages;
    assert.ok(answer !== undefined, `${path} was answered without a message`);
    return answer;
  }
});

async function fill(url: string): Promise<void> {
  const client = openClient({ cluster: 'balsa', url }, 1);
  for (let first = 0; first < keyCount; first += 100) {
    const indexes = Array.from({ length: 100 }, (_, i) => first + i);
    await client.putAll(indexes.map((index) => ({ key: keyOf(index), value: makeValue(index) })));
  }
  client.close();
}

async function revision(url: string): Promise<number> {
  const status = (await (await fetch(`${url}/v1/status`)).json()) as { readonly revision: number };
  return status.revision;
}
