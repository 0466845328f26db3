import { formatLeaseId, type LeaseId } from '../contract/lease.ts';
import { jsonOf, leaseIdOf } from './answers.ts';
import { hostClock } from './client-clock.ts';
import type { Endpoints, Reply } from './exchange.ts';
import { bytesOfMembers } from './json-bytes.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { IdempotentOptions, RequestOptions } from './options.ts';
import { idempotency } from './queries.ts';
import { limitsOf } from './request.ts';

export interface LeaseGrantOptions extends IdempotentOptions {
  /** Without one the server picks one; `lease_exists` if there is such a lease. */
  readonly id?: LeaseId;
}

export interface LeaseKeepOptions extends RequestOptions {
  /** After each renewal, with the seconds that it gave. */
  readonly onRenewed?: (ttlSeconds: number) => void;
}

export interface LeaseTtl {
  readonly id: LeaseId;
  /** Seconds from now. The server raises what is too short to be kept. */
  readonly ttl: number;
}

export interface LeaseTime {
  readonly id: LeaseId;
  /** Whole seconds left. */
  readonly ttl: number;
  /** Seconds that every renewal gives. */
  readonly grantedTtl: number;
  /** Keys that end with the lease; empty unless they were asked for. */
  readonly keys: readonly Uint8Array[];
}

/** Leases: time-bound ownership. All methods but `grant` and `list` reject with `lease_not_found` if there is none. */
export class Leases {
  readonly #endpoints: Endpoints;

  /** Use `BalsaClient.leases`. */
  constructor(endpoints: Endpoints) {
    this.#endpoints = endpoints;
  }

  /** A lease of so many seconds. */
  async grant(ttlSeconds: number, options: LeaseGrantOptions = {}): Promise<LeaseTtl> {
    const { repetition, idempotencyHeaders } = idempotency(options);
    const body = { ttl: ttlSeconds, ...(options.id !== undefined && { id: formatLeaseId(options.id) }) };
    return leaseTtlOf(
      await this.#endpoints.exchange({
        method: 'POST',
        path: '/v1/leases',
        repetition,
        headers: { 'content-type': 'application/json', ...idempotencyHeaders },
        body: new TextEncoder().encode(JSON.stringify(body)),
        ...limitsOf(options),
      }),
    );
  }

  /** Renews a lease once: it has its whole TTL again. */
  async keepAlive(id: LeaseId, options: RequestOptions = {}): Promise<LeaseTtl> {
    return leaseTtlOf(
      await this.#endpoints.exchange({
        method: 'POST',
        path: `${pathOf(id)}/keepalive`,
        repetition: 'harmless',
        ...limitsOf(options),
      }),
    );
  }

  /**
   * Renews a lease until the keeper is closed; resolves when it has been renewed for the first time.
   *
   * ```ts
   * const { id } = await balsa.leases.grant(10);
   * await using keeper = await balsa.leases.keep(id);
   * await balsa.put('service/1', 'http://…', { lease: id });
   * await serve({ signal: keeper.lost });
   * ```
   */
  async keep(id: LeaseId, options: LeaseKeepOptions = {}): Promise<LeaseKeeper> {
    const renewedAtMs = hostClock.monotonicMs();
    const { ttl } = await this.keepAlive(id, options);
    options.onRenewed?.(ttl);
    return new LeaseKeeper({
      clock: hostClock,
      id,
      ttlSeconds: ttl,
      renewedAtMs,
      timeoutMs: options.timeoutMs ?? this.#endpoints.timeoutMs,
      signal: options.signal,
      onRenewed: options.onRenewed,
      renew: (limits) => this.keepAlive(id, limits),
    });
  }

  /** What is left of a lease and, if asked for, its keys. */
  async timeToLive(id: LeaseId, options: RequestOptions & { readonly keys?: boolean } = {}): Promise<LeaseTime> {
    const reply = await this.#endpoints.exchange({
      method: 'GET',
      path: pathOf(id),
      repetition: 'harmless',
      ...(options.keys === true && { query: { keys: 'true' } }),
      ...limitsOf(options),
    });
    const { ttl, grantedTtl, keys = [] } = jsonOf<WireLeaseTime>(reply);
    return { id, ttl, grantedTtl, keys: keys.map(keyOf) };
  }

  /** All leases, in order of their ids. */
  async list(options: RequestOptions = {}): Promise<readonly LeaseId[]> {
    const reply = await this.#endpoints.exchange({
      method: 'GET',
      path: '/v1/leases',
      repetition: 'harmless',
      ...limitsOf(options),
    });
    return jsonOf<{ leases: readonly { id: string }[] }>(reply).leases.map(({ id }) => leaseIdOf(id));
  }

  /** Ends a lease and deletes its keys, in one revision. */
  async revoke(
    id: LeaseId,
    options: IdempotentOptions = {},
  ): Promise<{ readonly deleted: number; readonly revision: number }> {
    const { repetition, idempotencyHeaders } = idempotency(options);
    const reply = await this.#endpoints.exchange({
      method: 'DELETE',
      path: pathOf(id),
      repetition,
      headers: idempotencyHeaders,
      ...limitsOf(options),
    });
    const { deleted, revision } = jsonOf<{ deleted: number; revision: number }>(reply);
    return { deleted, revision };
  }
}

interface WireLeaseTime {
  readonly ttl: number;
  readonly grantedTtl: number;
  readonly keys?: readonly WireKey[];
}

/** Text, or an object for bytes that are none. */
type WireKey = string | { readonly key?: string; readonly keyBase64?: string };

function keyOf(wire: WireKey): Uint8Array {
  return typeof wire === 'string' ? bytesOfMembers(wire, undefined) : bytesOfMembers(wire.key, wire.keyBase64);
}

function leaseTtlOf(reply: Reply): LeaseTtl {
  const { id, ttl } = jsonOf<{ id: string; ttl: number }>(reply);
  return { id: leaseIdOf(id), ttl };
}

function pathOf(id: LeaseId): string {
  return `/v1/leases/${formatLeaseId(id)}`;
}
