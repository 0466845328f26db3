import { crc32c } from '../../../base/checksum.ts';
import type { KeyValue } from '../../../contract/kv.ts';
import type { ClusterService, KvService } from '../../../replica/service.ts';
import { clamped } from './key-ranges.ts';

export interface KvHash {
  readonly hash: number;
  readonly compactRevision: number;
  readonly hashRevision: number;
}

const timeoutMs = 60_000;

/**
 * `HashKV`: a checksum of all keys as they were at a revision. Members that agree have the same; etcd's own members have another, because
 * they hash what their files hold.
 */
export class StateHashes {
  readonly #kv: KvService;
  readonly #cluster: ClusterService;
  /** One at a time: it reads everything. Those who ask for the same revision meanwhile get the same answer. */
  #running: Promise<unknown> = Promise.resolve();
  readonly #asked = new Map<number, Promise<KvHash>>();

  constructor(kv: KvService, cluster: ClusterService) {
    this.#kv = kv;
    this.#cluster = cluster;
  }

  /** Rejects with `compacted` or `future_revision`. */
  at(revision: bigint): Promise<KvHash> {
    const wanted = revision <= 0n ? this.#kv.header().revision : clamped(revision);
    let asked = this.#asked.get(wanted);
    if (asked === undefined) {
      asked = this.#running.then(() => this.#hash(wanted)).finally(() => this.#asked.delete(wanted));
      this.#asked.set(wanted, asked);
      this.#running = asked.catch(() => undefined);
    }
    return asked;
  }

  async #hash(revision: number): Promise<KvHash> {
    const { compactRevision } = this.#cluster.status();
    const everything = { start: Buffer.of(0), end: undefined };
    const { pages } = await this.#kv.stream(everything, {
      consistency: { level: 'stale' },
      timeoutMs,
      keysOnly: false,
      revision,
    });
    let hash = 0;
    for await (const kvs of pages) for (const kv of kvs) hash = addTo(hash, kv);
    return { hash, compactRevision, hashRevision: revision };
  }
}

function addTo(hash: number, { key, value, createRevision, modRevision, version, lease = 0n }: KeyValue): number {
  const numbers = Buffer.allocUnsafe(40);
  numbers.writeDoubleBE(createRevision, 0);
  numbers.writeDoubleBE(modRevision, 8);
  numbers.writeDoubleBE(version, 16);
  numbers.writeBigInt64BE(lease, 24);
  numbers.writeUInt32BE(key.length, 32);
  numbers.writeUInt32BE(value.length, 36);
  return crc32c(value, crc32c(key, crc32c(numbers, hash)));
}
