import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { open } from '../../../src/server/index.ts';
import { serverSpecs } from '../../clusters/server-process.ts';
import { versionOf } from '../../load/run-tool.ts';
import type { Target } from '../commands.ts';
import { openClient } from '../open-client.ts';
import { type Client, type Pair, RefusedError } from './client.ts';

/** The trials compare what the two clients measure, so both have to mean the same; each talks to a real server. */

interface Server {
  readonly target: Target;
  stop(): Promise<void>;
}

suite('balsa', startBalsa, false);
suite('etcd', startEtcd, versionOf('etcd') === undefined && 'etcd is not installed');

function suite(name: string, start: (directory: string) => Promise<Server>, skip: false | string): void {
  describe(`client of ${name}`, { skip }, () => {
    const directory = mkdtempSync(join(tmpdir(), 'balsa-bench-test-'));
    let server: Server | undefined;
    let client: Client;
    before(async () => {
      server = await start(directory);
      client = openClient(server.target, 2);
    });
    after(async () => {
      client.close();
      await server?.stop();
      rmSync(directory, { recursive: true });
    });

    it('puts and gets', async () => {
      await client.put({ key: 'one/a', value: 'x'.repeat(300) });
      for (const stale of [false, true]) assert.equal(await client.get('one/a', { stale }), 'x'.repeat(300));
      assert.equal(await client.get('one/b', { stale: false }), undefined);
    });

    it('puts many in one transaction, pages through them and counts them', async () => {
      await client.putAll(pairs('many/', 100));
      assert.equal(await client.get('many/042', { stale: false }), 'value 42');
      for (const stale of [false, true]) {
        assert.equal((await client.page('many/', 1000, { stale })).keyCount(), 100);
        assert.equal((await client.page('many/', 7, { stale })).keyCount(), 7);
      }
      assert.equal(await client.count('many/'), 100);
    });

    it('says why it was refused, and that it is no use to try again', async () => {
      await assert.rejects(
        client.putAll(pairs('toomany/', 200)),
        (reason) => reason instanceof RefusedError && !reason.isTemporary,
      );
    });

    it('watches a key, and only what comes after the watch has begun', async () => {
      await client.put({ key: 'watched/a', value: 'before' });
      const seen = await watching(client, { text: 'watched/a', isPrefix: false });
      await client.put({ key: 'watched/ab', value: 'another key' });
      await client.put({ key: 'watched/a', value: 'after' });
      await seen.upTo(1);
      assert.deepEqual(seen.events, [{ key: 'watched/a', value: 'after' }]);
    });

    it('watches a prefix: all events of a transaction come', async () => {
      const seen = await watching(client, { text: 'prefix/', isPrefix: true });
      await client.putAll(pairs('prefix/', 100));
      await seen.upTo(100);
      assert.deepEqual(sorted(seen.events), pairs('prefix/', 100));
    });
  });
}

function pairs(prefix: string, count: number): Pair[] {
  return Array.from({ length: count }, (_, i) => ({
    key: prefix + String(i).padStart(3, '0'),
    value: `value ${i}`,
  }));
}

function sorted(events: readonly Pair[]): Pair[] {
  return events.toSorted((a, b) => a.key.localeCompare(b.key));
}

async function watching(client: Client, range: Parameters<Client['watch']>[0]) {
  const events: Pair[] = [];
  let wake = (): void => undefined;
  const watch = await client.watch(range, {
    onEvent: (event) => {
      events.push(event);
      wake();
    },
    onEnd: (reason) => assert.fail(reason),
  });
  return {
    events,
    async upTo(count: number): Promise<void> {
      while (events.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      watch.close();
    },
  };
}

async function startBalsa(directory: string): Promise<Server> {
  const anyPort = ['http://127.0.0.1:0'];
  const node = await open({ dataDir: join(directory, 'data'), listenClientUrls: anyPort, listenPeerUrls: anyPort });
  await node.ready;
  return { target: { cluster: 'balsa', url: node.clientUrls[0] ?? '' }, stop: () => node.stop() };
}

async function startEtcd(directory: string): Promise<Server> {
  const [spec] = await serverSpecs('etcd', 1, directory);
  assert.ok(spec !== undefined);
  const { clientUrl, peerUrl, dataDir } = spec;
  const urls = [`--listen-client-urls=${clientUrl}`, `--advertise-client-urls=${clientUrl}`];
  const peers = [`--listen-peer-urls=${peerUrl}`, `--initial-advertise-peer-urls=${peerUrl}`];
  const flags = ['--name=etcd1', `--data-dir=${dataDir}`, `--initial-cluster=etcd1=${peerUrl}`];
  const child = spawn('etcd', [...flags, ...urls, ...peers], { stdio: 'ignore' });
  await untilHealthy(child, clientUrl);
  return {
    target: { cluster: 'etcd', url: clientUrl },
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function untilHealthy(child: ChildProcess, url: string): Promise<void> {
  while (child.exitCode === null) {
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    if (answer?.ok) return;
    await delay(20);
  }
  assert.fail(`etcd ended with ${child.exitCode}`);
}
