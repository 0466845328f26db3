import { BalsaError } from '../../../contract/errors.ts';
import { keyRange, prefixRange } from '../../../contract/key-range.ts';
import type { AnswerHeader, KeyValue, Revision } from '../../../contract/kv.ts';
import type { LeaseId } from '../../../contract/lease.ts';
import type { Watch } from '../../../replica/service.ts';
import type { EtcdOptions } from '../etcd-options.ts';
import type { Call } from '../method.ts';
import { EtcdError, etcdErrors } from '../status.ts';

/** Of a session that nobody named a lease for, in seconds (as etcd's `concurrency.NewSession`). */
const sessionTtl = 60;

/** A place in the queue of a name. */
export interface Place {
  readonly key: Uint8Array;
  readonly lease: LeaseId;
  /** The fencing token: whoever comes later has a larger one. */
  readonly createRevision: Revision;
  readonly header: AnswerHeader;
}

/**
 * Queues of keys that each depend on a lease, in the order of their creation: what etcd's locks and elections are made of
 * (`client/v3/concurrency`). First is the key with the lowest create revision.
 */
export class TurnQueue {
  readonly #options: EtcdOptions;

  constructor(options: EtcdOptions) {
    this.#options = options;
  }

  /**
   * Queues up and resolves when it is the first: the place, and the header of that moment. Without a lease it takes one of its
   * own, which goes with the attempt if that fails.
   */
  async take(name: Uint8Array, lease: bigint, value: Uint8Array, call: Call): Promise<Place> {
    const session = await this.#session(lease, call);
    try {
      const place = await this.#enter(name, session, value, call);
      return { ...place, header: await this.#turn(name, place, call) };
    } catch (reason) {
      const { timeoutMs } = call;
      // One that cannot be revoked now ends by itself, since nobody renews it.
      if (lease === 0n) await this.#options.leases.revoke(session, { timeoutMs }).catch(() => undefined);
      throw reason;
    }
  }

  /** The lease to queue with: that one, or a new one. Its errors have no code of their own, as etcd's. */
  async #session(lease: bigint, { timeoutMs }: Call): Promise<LeaseId> {
    const { leases } = this.#options;
    if (lease === 0n) return (await leases.grant({ id: undefined, ttl: sessionTtl }, { timeoutMs })).id;
    if (lease < 0n) throw noLease();
    await leases.keepAlive(lease, { timeoutMs }).catch((reason: unknown) => {
      throw reason instanceof BalsaError && reason.code === 'lease_not_found' ? noLease() : reason;
    });
    return lease;
  }

  /** Takes a place, or finds the one that the lease has already; its value is then `value` as well. */
  async #enter(name: Uint8Array, lease: LeaseId, value: Uint8Array, { timeoutMs }: Call): Promise<Place> {
    const key = Buffer.concat([prefixOf(name), Buffer.from(lease.toString(16))]);
    const range = keyRange(key);
    const { header, succeeded, results } = await this.#options.kv.txn(
      {
        compare: [{ range, is: '=', target: 'createRevision', value: 0 }],
        success: [{ kind: 'put', key, value, lease }],
        failure: [{ kind: 'range', range, ...oneKey, sort: 'key', order: 'asc', keysOnly: false }],
      },
      { timeoutMs },
    );
    if (succeeded) return { key, lease, createRevision: header.revision, header };
    const [found] = results;
    const kv = found?.kind === 'range' ? found.kvs[0] : undefined;
    if (kv === undefined) throw expired();
    const place = { key, lease, createRevision: kv.createRevision, header };
    if (Buffer.compare(kv.value, value) !== 0) await this.change(place, value, timeoutMs);
    return place;
  }

  /** False: the place is somebody else's, or gone. */
  async change({ key, lease, createRevision }: Omit<Place, 'header'>, value: Uint8Array, timeoutMs: number) {
    return this.#options.kv.txn(
      {
        compare: [{ range: keyRange(key), is: '=', target: 'createRevision', value: createRevision }],
        success: [{ kind: 'put', key, value, ...(lease === 0n ? {} : { lease }) }],
        failure: [],
      },
      { timeoutMs },
    );
  }

  /** Gives the place up, if it is still that one. */
  async leave({ key, createRevision }: Pick<Place, 'key' | 'createRevision'>, timeoutMs: number) {
    const range = keyRange(key);
    return this.#options.kv.txn(
      {
        compare: [{ range, is: '=', target: 'createRevision', value: createRevision }],
        success: [{ kind: 'delete', range }],
        failure: [],
      },
      { timeoutMs },
    );
  }

  /**
   * Resolves when nobody is before the place any more and it is still there: whose lease has ended meanwhile never gets its turn
   * (etcd#11456). Renews the lease while it waits. A call that is canceled leaves the queue.
   */
  async #turn(name: Uint8Array, place: Place, call: Call): Promise<AnswerHeader> {
    const { signal, timeoutMs } = call;
    const renewal = await this.#renewal(place.lease, timeoutMs);
    try {
      for (;;) {
        const before = await this.#last(name, place.createRevision - 1, timeoutMs);
        if (before.kv === undefined) break;
        await this.#deletion(before.kv.key, before.header.revision + 1, call);
      }
      const { header, kv } = await this.#options.kv.get(place.key, linearizable(timeoutMs));
      if (kv?.createRevision !== place.createRevision) throw expired();
      return header;
    } catch (reason) {
      if (signal.aborted) await this.leave(place, timeoutMs).catch(() => undefined);
      throw reason;
    } finally {
      clearInterval(renewal);
    }
  }

  /** Who is first. */
  async first(name: Uint8Array, timeoutMs: number): Promise<{ header: AnswerHeader; kv: KeyValue | undefined }> {
    const request = { range: prefixRange(prefixOf(name)), ...oneKey, sort: 'createRevision', order: 'asc' } as const;
    const { header, kvs } = await this.#options.kv.range({ ...request, keysOnly: false }, linearizable(timeoutMs));
    return { header, kv: kvs[0] };
  }

  async #last(name: Uint8Array, maxCreateRevision: Revision, timeoutMs: number) {
    const request = { range: prefixRange(prefixOf(name)), ...oneKey, sort: 'createRevision', order: 'desc' } as const;
    const bounds = { maxCreateRevision };
    const { header, kvs } = await this.#options.kv.range(
      { ...request, bounds, keysOnly: true },
      linearizable(timeoutMs),
    );
    return { header, kv: kvs[0] };
  }

  async #renewal(lease: LeaseId, timeoutMs: number): Promise<NodeJS.Timeout> {
    const { leases } = this.#options;
    const { ttl } = await leases.keepAlive(lease, { timeoutMs });
    // One that fails is tried again; if the lease has ended, its place has too.
    const renew = () => void leases.keepAlive(lease, { timeoutMs }).catch(() => undefined);
    return setInterval(renew, Math.min(2 ** 31 - 1, (ttl * 1000) / 3));
  }

  /** Until the key is deleted, or there is reason to look again. */
  async #deletion(key: Uint8Array, revision: Revision, { signal, timeoutMs }: Call): Promise<void> {
    let watch: Watch | undefined;
    let abort: () => void = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        abort = () => reject(new EtcdError('CANCELLED', 'context canceled'));
        if (signal.aborted) return abort();
        signal.addEventListener('abort', abort, { once: true });
        const sink = {
          onBatch: () => {
            resolve();
            return true;
          },
          onProgress: () => true,
          onEnd: (error: BalsaError) => (error.code === 'compacted' ? resolve() : reject(error)),
        };
        const request = { range: keyRange(key), revision, previous: false, filter: 'put' } as const;
        this.#options.watch.watch(request, sink, { timeoutMs, signal }).then((opened) => {
          watch = opened;
          if (signal.aborted) opened.close();
        }, reject);
      });
    } finally {
      signal.removeEventListener('abort', abort);
      watch?.close();
    }
  }
}

export function prefixOf(name: Uint8Array): Buffer {
  return Buffer.concat([name, Buffer.from('/')]);
}

function linearizable(timeoutMs: number) {
  return { timeoutMs, consistency: { level: 'linearizable' } } as const;
}

function noLease(): EtcdError {
  return new EtcdError('UNKNOWN', etcdErrors.leaseNotFound().message);
}

/** In the words of etcd's `concurrency` package. */
function expired(): EtcdError {
  return new EtcdError('UNKNOWN', 'mutex: session is expired');
}

const oneKey = { limit: 1, countOnly: false } as const;
