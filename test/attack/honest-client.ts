import { setTimeout as delay } from 'node:timers/promises';
import * as kv from '../../src/api/etcd/proto/messages/kv.ts';
import { GrpcClient } from '../../src/api/etcd/testing/grpc-client.ts';
import { bytes } from './calls.ts';

const pauseMs = 20;
/** Longer than any client waits. */
const patienceMs = 10_000;

/** Puts one value after the other on one connection, and keeps account of the answers. */
export class HonestClient {
  readonly latenciesMs: number[] = [];
  readonly failures: string[] = [];
  readonly #client: GrpcClient;
  readonly #name: string;
  #isOver = false;
  readonly #running: Promise<void>;

  constructor(url: string, name: string) {
    this.#client = new GrpcClient(url);
    this.#name = name;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    this.#client.close();
  }

  async #run(): Promise<void> {
    let revision = 0n;
    for (let i = 0; !this.#isOver; i++) {
      const sentMs = performance.now();
      const put = this.#client.unary('/etcdserverpb.KV/Put', [kv.PutRequest, kv.PutResponse], {
        key: bytes(`honest/${this.#name}/${i % 100}`),
        value: bytes(`${i}`),
      });
      try {
        const answer = await Promise.race([put, delay(patienceMs, undefined, { ref: false })]);
        const told = answer?.header?.revision;
        if (told === undefined) throw new Error(`not answered within ${patienceMs} ms`);
        if (told <= revision) throw new Error(`revision ${told} behind ${revision}`);
        revision = told;
        this.latenciesMs.push(performance.now() - sentMs);
      } catch (reason) {
        this.failures.push(`put ${i} of ${this.#name}: ${reason instanceof Error ? reason.message : reason}`);
        if (this.failures.length > 10) return;
      }
      await delay(pauseMs);
    }
  }
}
