import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { eventually, type NodeProcess, ProcessCluster } from './support/processes.ts';

// Most of their time they wait: a half-sent request is given half a minute.
describe('hostile network', { concurrency: true }, () => {
  test('peer port: garbage, a huge length and a stranger leave the cluster unharmed', async () => {
    await using cluster = await ProcessCluster.start(3);
    const { peerPort } = cluster.node(0).spec;
    const upgrade = 'GET /v1/peer HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: balsa-peer\r\n\r\n';
    const attacks: Buffer[] = [
      randomBytes(100_000),
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      Buffer.concat([Buffer.from(upgrade), Buffer.from('7fffffff00000000', 'hex'), randomBytes(1000)]),
      Buffer.concat([Buffer.from(upgrade), Buffer.from('0000000500000000dd02000000', 'hex')]),
      Buffer.concat([Buffer.from(upgrade), randomBytes(100_000)]),
    ];
    for (const attack of attacks) {
      const socket = connect(peerPort, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(attack);
      await closed(socket.resume());
    }
    await assertUnharmed(cluster);
  });

  test('peer port: a member of another cluster is refused with a reason in the log and in the status of the one it asked', async () => {
    await using cluster = await ProcessCluster.start(1);
    await using stranger = await ProcessCluster.start(1, ['--initial-cluster-token=another']);
    // The stranger believes that its second member listens where our cluster does.
    const own = stranger.node(0).spec;
    await stranger.node(0).kill();
    const { peerPort } = cluster.node(0).spec;
    const lost = stranger.another([
      `--initial-cluster=${own.name}=http://127.0.0.1:${own.peerPort},other=http://127.0.0.1:${peerPort}`,
      `--data-dir=${own.dataDir}-2`,
    ]);
    lost.start();
    const status = await eventually('the refusal shows in the status', 10_000, async () => {
      const answer = (await (await lost.get('/v1/status')).json()) as { peers: { state: string; reason: string }[] };
      return answer.peers.find(({ state }) => state === 'refused');
    });
    assert.match(status.reason, /cluster/);
    await eventually('the refusal is in the log of the one that was asked', 5000, async () =>
      /cluster.*peer turned away/.test(readFileSync(cluster.node(0).logPath, 'utf8')),
    );
    await lost.kill();
    await assertUnharmed(cluster);
  });

  test('client port: a client that never reads its answers costs bounded memory and nobody else anything', async () => {
    await using cluster = await ProcessCluster.start(3);
    const node = cluster.node(0);
    for (let i = 0; i < 40; i++) {
      const put = await fetch(`${node.url}/v1/kv/big/${i}`, { method: 'PUT', body: randomBytes(1_000_000) });
      assert.equal(put.status, 201);
    }
    const before = await residentBytes(node);
    const sockets = Array.from({ length: 20 }, () => {
      const socket = connect(node.spec.clientPort, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.pause();
      socket.write('GET /v1/kv?prefix=big/ HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\n\r\n');
      return socket;
    });
    await Promise.all(sockets.map((socket) => (socket.connecting ? once(socket, 'connect') : undefined)));
    for (let i = 0; i < 200; i++) {
      const put = await fetch(`${node.url}/v1/kv/small/${i}`, { method: 'PUT', body: 'x' });
      assert.equal(put.status, 201);
    }
    const growth = (await residentBytes(node)) - before;
    // Held whole, the range would take twenty times 54 MB as JSON; what stays is a page or two each, and garbage.
    assert.ok(growth < 400 * 1024 * 1024, `grew by ${Math.round(growth / 1024 / 1024)} MiB`);
    for (const socket of sockets) socket.destroy();
    await assertUnharmed(cluster);
  });

  test('client port: a body without an end is given up, and a half-sent header too', async () => {
    await using cluster = await ProcessCluster.start(1);
    const { clientPort } = cluster.node(0).spec;
    const open: Socket[] = [
      'PUT /v1/kv/k HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf',
      'PUT /v1/kv/k HTTP/1.1\r\nHost: x\r\nX-Header: half',
    ].map((start) => {
      const socket = connect(clientPort, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(start);
      return socket.resume();
    });
    const [body, header] = open.map(closed);
    await header;
    await assertUnharmed(cluster);
    await body;
    const read = await cluster.node(0).get('/v1/kv/k');
    assert.equal(read.status, 404, 'half a value must not be stored');
  });
});

async function assertUnharmed(cluster: ProcessCluster): Promise<void> {
  for (const node of cluster.nodes) {
    assert.ok(node.isRunning, `${node.spec.name} has ended`);
    const put = await fetch(`${node.url}/v1/kv/unharmed`, { method: 'PUT', body: node.spec.name });
    assert.ok(put.ok, `${node.spec.name}: ${put.status}`);
    const read = await node.get('/v1/kv/unharmed');
    assert.equal(await read.text(), node.spec.name);
  }
}

/** However it ended: a reset is an answer to garbage as well. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

async function residentBytes(node: NodeProcess): Promise<number> {
  const metrics = await (await node.get('/metrics')).text();
  const line = /^process_resident_memory_bytes (\S+)$/m.exec(metrics);
  return Number(line?.[1]);
}
