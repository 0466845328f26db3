import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { MessageOf } from '../../src/api/etcd/proto/message-type.ts';
import { WatchRequest, WatchResponse } from '../../src/api/etcd/proto/messages/watch.ts';
import { GrpcClient, type GrpcStream } from '../../src/api/etcd/testing/grpc-client.ts';
import { eventually, ProcessCluster } from '../support/processes.ts';
import { overGrpc } from './differential/servers.ts';
import { type WatchScript, watchScripts } from './differential/watch-scripts.ts';
import { EtcdProcess } from './etcd-process.ts';

type Response = MessageOf<typeof WatchResponse>;

for (const script of watchScripts) {
  test(`watch as etcd: ${script.name}`, async () => {
    await using etcd = await EtcdProcess.start();
    await using cluster = await ProcessCluster.start(1);
    const expected = await play(script, etcd.url);
    // The answers of Balsa come in other parcels: it is done when as much has come.
    const found = await play(script, cluster.node(0).url, expected.length);
    if (script.differs === undefined) assert.deepEqual(found, expected);
    else assert.notDeepEqual(found, expected, script.differs);
  });
}

async function play({ acts }: WatchScript, url: string, toldMin = 0): Promise<readonly string[]> {
  const server = overGrpc(url);
  const client = new GrpcClient(url);
  const stream = client.stream('/etcdserverpb.Watch/Watch', [WatchRequest, WatchResponse]);
  try {
    for (const act of acts) {
      if (!('watch' in act)) await server.ask(act);
      else {
        stream.send(act.watch);
        // Etcd answers some requests with nothing, so that there is nothing to wait for but time.
        await settled(stream);
      }
    }
    if (toldMin > 0) await eventually('as much as etcd', 5000, async () => told(stream.received).length >= toldMin);
    await settled(stream);
    return told(stream.received);
  } finally {
    client.close();
    server.close();
  }
}

async function settled(stream: GrpcStream<object, Response>): Promise<void> {
  for (let count = -1; count !== stream.received.length; ) {
    count = stream.received.length;
    await delay(150);
  }
}

/** What each watcher was told, in order, without regard to how events were put together. */
function told(responses: readonly Response[]): readonly string[] {
  const lines: string[] = [];
  for (const response of responses) {
    const { watchId, created, canceled, compactRevision, cancelReason, events } = response;
    const flags = [
      created && 'created',
      canceled && 'canceled',
      compactRevision > 0n && `compacted ${compactRevision}`,
    ];
    const said = [...flags, cancelReason].filter((flag) => flag !== false && flag !== '');
    if (events.length === 0) lines.push(`${watchId}: ${said.join(' ')} at ${response.header?.revision}`);
    for (const { type, kv, prevKv } of events) {
      lines.push(`${watchId}: ${type === 0 ? 'put' : 'delete'} ${shown(kv)} before ${shown(prevKv)}`);
    }
  }
  // Watchers of one revision may be told in any order.
  return lines
    .map((line, i) => [Number.parseInt(line, 10), i, line] as const)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .map(([, , line]) => line);
}

function shown(kv: NonNullable<Response['events'][number]['kv']> | undefined): string {
  if (kv === undefined) return 'nothing';
  const { key, value, createRevision, modRevision, version, lease } = kv;
  return `${Buffer.from(key)}=${Buffer.from(value)} (${createRevision}, ${modRevision}, ${version}, ${lease})`;
}
