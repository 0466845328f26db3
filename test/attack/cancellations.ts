import { once } from 'node:events';
import type { ClientHttp2Stream } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import * as kv from '../../src/api/etcd/proto/messages/kv.ts';
import * as lease from '../../src/api/etcd/proto/messages/lease.ts';
import { GrpcClient } from '../../src/api/etcd/testing/grpc-client.ts';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { growthIn } from '../fuzz/engine/memory-trend.ts';
import { pick } from '../fuzz/engine/mutate.ts';
import { eventually, type NodeProcess } from '../support/processes.ts';
import { bytes, type CallKind, callKinds, framed, manyPrefix, pickKind, type Stock } from './calls.ts';
import { collectGarbageOf, type Vitals, vitalsOf } from './vitals.ts';

export interface CancellationOptions {
  readonly requests: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** What was done, and what is wrong, if anything. */
export interface CancellationResult {
  /** How often calls and connections were given up in which way. */
  readonly counts: ReadonlyMap<string, number>;
  readonly before: Vitals;
  readonly after: Vitals;
  readonly problem: string | undefined;
}

const keys = 2000;
const rounds = 12;
const connectionsAtATime = 4;
const callsAtATime = 400;
/** Calls of one connection. More than that many cancellations look like an attack, and end it. */
const callsMax = 700;
/** Idle connections of the client are asked for a sign of life after 10 s; nothing should need that long. */
const settleMs = 30_000;
/** The shortest lease lasts as long as an election, and one may be renewed in the midst of the last round. */
const leaseSettleMs = 60_000;

/**
 * Sends calls of all kinds and gives nearly all of them up, at any time and in any way, and whole connections with what is under
 * way on them. Between rounds all has to come back to what it was. The node's process must have been started as `collectable`.
 */
export async function cancelCalls(node: NodeProcess, options: CancellationOptions): Promise<CancellationResult> {
  const stock = await provide(node);
  const before = await settled(node, undefined);
  const canceler = new Canceler(node, seededRandom(options.seed), stock);
  const samples = [];
  for (let round = 1; round <= rounds; round++) {
    await canceler.send(Math.round(options.requests / rounds));
    canceler.leave();
    const { memory, sockets } = await settled(node, before);
    samples.push(memory);
    const [used, resident] = [memory.used, memory.resident].map((size) => Math.round(size / 2 ** 20));
    options.say(
      `round ${round} of ${rounds}: ${canceler.sent} calls, ${sockets} sockets, ${used} MiB held, ${resident} MiB resident`,
    );
  }
  await eventually('leases that nobody renews are gone', leaseSettleMs, async () => {
    return (await vitalsOf(node)).leases === stock.leases.length;
  });
  return { counts: canceler.counts, before, after: await settled(node, before), problem: growthIn(samples) };
}

/** Once nothing of clients is left; with `before`, no socket more than there was then. */
async function settled(node: NodeProcess, before: Vitals | undefined): Promise<Vitals> {
  let last: Vitals | undefined;
  const isSettled = async (): Promise<Vitals | undefined> => {
    collectGarbageOf(node);
    last = await vitalsOf(node);
    const { calls, connections, watchers, views, exports, pendingWrites, sockets } = last;
    const left = calls + connections + watchers + views + exports + pendingWrites;
    return left === 0 && (before === undefined || sockets <= before.sockets) ? last : undefined;
  };
  try {
    return await eventually('nothing of the clients is left', settleMs, isSettled);
  } catch (reason) {
    throw new Error(`something of the clients is left: ${JSON.stringify(last)}`, { cause: reason });
  }
}

async function provide({ url }: NodeProcess): Promise<Stock> {
  const client = new GrpcClient(url);
  const value = Buffer.alloc(500, 'v');
  for (let from = 0; from < keys; from += 100) {
    const success = Array.from({ length: 100 }, (_, i) => {
      return { requestPut: { key: bytes(`${manyPrefix}${from + i}`), value } };
    });
    await client.unary('/etcdserverpb.KV/Txn', [kv.TxnRequest, kv.TxnResponse], { success });
  }
  const leases: bigint[] = [];
  for (let i = 0; i < 5; i++) {
    const types = [lease.LeaseGrantRequest, lease.LeaseGrantResponse] as const;
    leases.push((await client.unary('/etcdserverpb.Lease/LeaseGrant', types, { ttl: 3600 })).id);
  }
  client.close();
  return { keys, leases };
}

interface Connection {
  readonly client: GrpcClient;
  readonly socket: Socket;
  callsLeft: number;
}

class Canceler {
  readonly counts = new Map<string, number>();
  sent = 0;
  readonly #node: NodeProcess;
  readonly #random: Random;
  readonly #kinds: readonly CallKind[];
  readonly #connections: Connection[] = [];
  #underWay = 0;

  constructor(node: NodeProcess, random: Random, stock: Stock) {
    this.#node = node;
    this.#random = random;
    this.#kinds = callKinds(stock);
  }

  async send(count: number): Promise<void> {
    for (const end = this.sent + count; this.sent < end; this.sent++) {
      // A client that gives up faster than it reads would only fill its own queues.
      while (this.#underWay >= callsAtATime) await delay(1);
      if (this.sent % 16 === 0) await delay(0);
      this.#call(await this.#connection());
    }
  }

  /** Ends what is connected, with all that is under way. */
  leave(): void {
    for (const connection of this.#connections.splice(0)) this.#end(connection);
  }

  async #connection(): Promise<GrpcClient> {
    const index = this.#random.below(connectionsAtATime);
    let connection = this.#connections[index];
    if (connection !== undefined && (connection.client.session.destroyed || connection.client.session.closed)) {
      this.#count('connections ended by the node');
      connection.socket.destroy();
      connection = undefined;
    }
    if (connection === undefined || connection.callsLeft-- === 0) {
      if (connection !== undefined) this.#end(connection);
      const socket = connect(this.#node.spec.clientPort, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      const client = new GrpcClient(this.#node.url, socket);
      connection = { client, socket, callsLeft: 1 + this.#random.below(callsMax) };
      this.#connections[index] = connection;
    }
    return connection.client;
  }

  #end({ client, socket }: Connection): void {
    const ways = {
      'connections torn': () => socket.resetAndDestroy(),
      'connections closed under calls': () => socket.destroy(),
      'connections ended by GOAWAY': () => client.session.destroy(undefined, 0),
    };
    const way = pick(this.#random, Object.keys(ways) as (keyof typeof ways)[]);
    this.#count(way);
    ways[way]();
  }

  #call(client: GrpcClient): void {
    const { path, requests } = pickKind(this.#random, this.#kinds);
    const raw = client.raw(path);
    this.#underWay++;
    raw.once('close', () => {
      this.#underWay--;
    });
    const messages = requests(this.#random).map(framed);
    const way = pick(this.#random, Object.keys(ways) as (keyof typeof ways)[]);
    this.#count(way);
    ways[way](raw, messages, this.#random);
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

/** How a call is given up. Each one ends the stream, or the answer does. */
const ways = {
  'calls reset at once': (raw) => reset(raw),
  'calls reset within a message': (raw, messages, random) => {
    const whole = Buffer.concat(messages);
    raw.write(whole.subarray(0, 1 + random.below(whole.length)));
    resetWithin(raw, random, 10);
  },
  'calls reset behind their requests': (raw, messages, random) => {
    for (const message of messages) raw.write(message);
    raw.resume();
    resetWithin(raw, random, 30);
  },
  'calls half-closed and reset': (raw, messages, random) => {
    raw.resume();
    raw.end(Buffer.concat(messages));
    resetWithin(raw, random, 30);
  },
  'calls half-closed without a request': (raw, _, random) => {
    raw.resume();
    raw.end();
    resetWithin(raw, random, 30);
  },
  'calls whose answer is not read': (raw, messages, random) => {
    raw.pause();
    raw.end(Buffer.concat(messages));
    resetWithin(raw, random, 60);
  },
  'calls that may be answered': (raw, messages, random) => {
    raw.resume();
    raw.end(Buffer.concat(messages));
    resetWithin(raw, random, 500);
  },
} satisfies Readonly<Record<string, Way>>;

type Way = (raw: ClientHttp2Stream, messages: readonly Buffer[], random: Random) => void;

function resetWithin(raw: ClientHttp2Stream, random: Random, ms: number): void {
  const timer = setTimeout(() => reset(raw), random.below(ms));
  raw.once('close', () => clearTimeout(timer));
}

function reset(raw: ClientHttp2Stream): void {
  if (!raw.destroyed) raw.close(8);
}
