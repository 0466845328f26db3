import { keyRange } from '../../src/contract/key-range.ts';
import type {
  Condition,
  DeleteRangeRequest,
  DeleteRequest,
  KeyRange,
  KeyValue,
  PutRequest,
  RangeRequest,
  Revision,
  RevisionBounds,
} from '../../src/contract/kv.ts';
import { type LeaseId, type LeaseRecord, leaseIdMax, leaseTtlMaxSeconds } from '../../src/contract/lease.ts';
import type { Compare, TxnOperation, TxnRequest, TxnResult } from '../../src/contract/txn.ts';
import type { WatchEvent, WatchRequest } from '../../src/contract/watch.ts';
import { checkPut, checkTxn } from './check-txn.ts';
import { compareBy, compareBytes, isInRange } from './key-order.ts';
import type {
  DeleteOutcome,
  EventsOutcome,
  GetOutcome,
  LeaseRevokeOutcome,
  Outcome,
  PutOutcome,
  RangeOutcome,
  Refusal,
  RevisionEvents,
  TxnOutcome,
  Write,
  WriteOutcome,
} from './outcome.ts';
import { printable } from './printable.ts';

/** A branch that was chosen, with the branches that were chosen within it. */
interface Plan {
  readonly succeeded: boolean;
  readonly steps: readonly (Exclude<TxnOperation, { kind: 'txn' }> | ({ readonly kind: 'plan' } & Plan))[];
}

type TxnPut = Extract<TxnOperation, { kind: 'put' }>;

/**
 * What Balsa's store is held against: the same answers from the plainest code there is. It keeps every event that ever
 * was in one array by revision and works everything out from it anew: what a key was at a revision is its last event up
 * to there. It forgets nothing; what was compacted it only refuses to tell. Slow, single-minded, and on purpose without
 * a line of the store's own code. The rules are those of etcd 3.6.
 *
 * It does not know limits of bytes, clocks, or members: such refusals belong to other tests.
 */
export class StoreModel {
  /** What each revision did: `[r]` holds the events of revision `r`. The empty store is at 1, which did nothing. */
  readonly #events: (readonly WatchEvent[])[] = [[], []];
  /** What the write that is being done has done so far. */
  #unfinished: WatchEvent[] = [];
  #compactRevision: Revision = 0;
  readonly #leases = new Map<LeaseId, LeaseRecord>();
  readonly #firstOutcomes = new Map<string, { readonly write: string; readonly outcome: WriteOutcome }>();

  get revision(): Revision {
    return this.#events.length - 1;
  }

  /** The oldest revision that can be read; 0 before the first compaction. */
  get compactRevision(): Revision {
    return this.#compactRevision;
  }

  /** Everything that ever happened, compacted or not; `previous` is always there if there was one. */
  get log(): readonly RevisionEvents[] {
    return this.#revisionsFrom(2).map(({ revision, events }) => ({
      revision,
      events: events.map((event) => this.#withPrevious(event)),
    }));
  }

  /**
   * With a token: the second time nothing happens, and the outcome of the first time, which may be a refusal, comes
   * back. A token that named another write is `bad_request`, and so is a write that breaks a rule of form: that one is
   * never in the log, so the token stays free.
   */
  apply(write: Write, token?: string): WriteOutcome {
    if (token === undefined) return this.#applyOnce(write);
    const first = this.#firstOutcomes.get(token);
    if (first !== undefined) {
      return first.write === printable(write) ? first.outcome : badRequest('the token named another write');
    }
    const outcome = this.#applyOnce(write);
    if (outcome.kind !== 'bad_request') this.#firstOutcomes.set(token, { write: printable(write), outcome });
    return outcome;
  }

  /** A put is always a revision, even if it changes nothing. */
  put(request: PutRequest): PutOutcome {
    const reason = checkPut(request);
    if (reason !== undefined) return badRequest(reason);
    const refusal = this.#checkCondition(request.key, request.condition) ?? this.#checkPut(request);
    if (refusal !== undefined) return refusal;
    const { kind: _, ...result } = this.#doPut(request);
    return this.#finish({ ...result, modRevision: this.revision + 1 });
  }

  /** Deleting what is not there is no revision. */
  delete(request: DeleteRequest): DeleteOutcome {
    if (request.key.length === 0) return badRequest('empty key');
    const refusal = this.#checkCondition(request.key, request.condition);
    if (refusal !== undefined) return refusal;
    const deleted = this.#doDelete(keyRange(request.key));
    return this.#finish({
      deleted: deleted.length,
      previous: request.previous ? deleted[0] : undefined,
    });
  }

  deleteRange({ range }: DeleteRangeRequest): DeleteOutcome {
    return this.#finish({ deleted: this.#doDelete(range).length, previous: undefined });
  }

  /**
   * First all branches are chosen, those of nested transactions as well, by the state before the transaction; then all
   * that will be done is checked against that state; then it is done. So nothing is ever undone. As etcd
   * (`server/etcdserver/txn/txn.go`: `compareToPath`, `checkTxn`, `executeTxn`).
   */
  txn(txn: TxnRequest): TxnOutcome {
    const reason = checkTxn(txn);
    if (reason !== undefined) return badRequest(reason);
    const plan = this.#choose(txn);
    const refusal = this.#checkPlan(plan);
    if (refusal !== undefined) return refusal;
    const results = this.#doPlan(plan);
    return this.#finish({ succeeded: plan.succeeded, results });
  }

  /** Changes no revision. */
  leaseGrant(id: LeaseId, ttl: number): Outcome {
    if (id < 1n || id > leaseIdMax) return badRequest('a lease id is from 1 to 2^63 - 1');
    if (!(ttl >= 1 && ttl <= leaseTtlMaxSeconds)) return badRequest(`a TTL is from 1 to ${leaseTtlMaxSeconds} seconds`);
    if (this.#leases.has(id)) return { kind: 'lease_exists' };
    this.#leases.set(id, { id, ttl, remaining: undefined });
    return this.#finish({});
  }

  /** Its keys go in byte order, in one revision; a lease without keys goes without one. */
  leaseRevoke(id: LeaseId): LeaseRevokeOutcome {
    if (!this.#leases.has(id)) return { kind: 'lease_not_found' };
    const keys = this.leaseKeys(id);
    for (const key of keys) this.#doDelete(keyRange(key));
    this.#leases.delete(id);
    return this.#finish({ deleted: keys.length });
  }

  /** Of a lease that is gone there is nothing to remember; that is no refusal (as etcd). */
  leaseCheckpoint(id: LeaseId, remaining: number | undefined): Outcome {
    const lease = this.#leases.get(id);
    if (lease !== undefined) this.#leases.set(id, { ...lease, remaining });
    return this.#finish({});
  }

  /** In order of their ids. */
  leases(): readonly LeaseRecord[] {
    return [...this.#leases.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The keys that are bound to it now, in byte order. */
  leaseKeys(id: LeaseId): readonly Uint8Array[] {
    return this.#state().flatMap(({ key, lease }) => (lease === id ? [key] : []));
  }

  /** What was before `revision` is no longer told; `revision` itself can still be read. Changes no revision. */
  compact(revision: Revision): Outcome {
    if (revision <= this.#compactRevision) return this.#compacted();
    if (revision > this.revision) return { kind: 'future_revision' };
    this.#compactRevision = revision;
    return this.#finish({});
  }

  get(key: Uint8Array, revision?: Revision): GetOutcome {
    const refusal = this.#checkRevision(revision);
    if (refusal !== undefined) return refusal;
    return this.#finish({ kv: this.#find(key, revision) });
  }

  range(request: RangeRequest): RangeOutcome {
    const refusal = this.#checkRevision(request.revision);
    if (refusal !== undefined) return refusal;
    return this.#finish(this.#list(request));
  }

  /**
   * The batches that a watch has to deliver: of all revisions from `revision` to now that did something to keys of the
   * range, what they did to them. Empty if it lies in the future. `previous` is told if it can still be read.
   */
  eventsSince({ revision = this.revision + 1, range, filter, previous }: WatchRequest): EventsOutcome {
    if (revision < this.#compactRevision) return this.#compacted();
    const isWanted = ({ type, kv }: WatchEvent): boolean => isInRange(kv.key, range) && type !== filter;
    const batches = this.#revisionsFrom(revision).map((batch) => ({
      revision: batch.revision,
      events: batch.events
        .filter(isWanted)
        .map((event) => (previous && batch.revision > this.#compactRevision ? this.#withPrevious(event) : event)),
    }));
    return this.#finish({ batches: batches.filter(({ events }) => events.length > 0) });
  }

  #applyOnce(write: Write): WriteOutcome {
    switch (write.kind) {
      case 'put':
        return this.put(write);
      case 'delete':
        return this.delete(write);
      case 'deleteRange':
        return this.deleteRange(write);
      case 'txn':
        return this.txn(write.txn);
      case 'leaseGrant':
        return this.leaseGrant(write.id, write.ttl);
      case 'leaseRevoke':
        return this.leaseRevoke(write.id);
      case 'leaseCheckpoint':
        return this.leaseCheckpoint(write.id, write.remaining);
      case 'compact':
        return this.compact(write.revision);
    }
  }

  /** The write, or the read, is over: what it has done becomes one revision, nothing becomes none. */
  #finish<Answer extends object>(answer: Answer): { kind: 'done'; revision: Revision } & Answer {
    if (this.#unfinished.length > 0) this.#events.push(this.#unfinished);
    this.#unfinished = [];
    return { kind: 'done', revision: this.revision, ...answer };
  }

  #checkCondition(key: Uint8Array, condition: Condition | undefined): Refusal | undefined {
    const present = this.#find(key);
    if (holds(condition, present)) return undefined;
    return { kind: 'precondition_failed', modRevision: present?.modRevision };
  }

  #checkPut({ key, lease, keepsValue, keepsLease }: TxnPut | PutRequest): Refusal | undefined {
    if (lease !== undefined && !this.#leases.has(lease)) return { kind: 'lease_not_found' };
    const keeps = keepsValue === true || keepsLease === true;
    return keeps && this.#find(key) === undefined ? { kind: 'key_not_found' } : undefined;
  }

  #checkRevision(revision: Revision | undefined): Refusal | undefined {
    if (revision === undefined) return undefined;
    if (revision > this.revision) return { kind: 'future_revision' };
    return revision < this.#compactRevision ? this.#compacted() : undefined;
  }

  #compacted(): Refusal {
    return { kind: 'compacted', compactRevision: this.#compactRevision };
  }

  #choose(txn: TxnRequest): Plan {
    const succeeded = txn.compare.every((compare) => this.#compares(compare));
    const branch = succeeded ? txn.success : txn.failure;
    const steps = branch.map((operation) =>
      operation.kind === 'txn' ? { kind: 'plan' as const, ...this.#choose(operation.txn) } : operation,
    );
    return { succeeded, steps };
  }

  /**
   * Every key of the range has to compare. Where there is none, one that has never been is compared: all its numbers
   * are 0, and it has no value, which no value equals or differs from (etcd's `applyCompare`).
   */
  #compares(compare: Compare): boolean {
    const kvs = this.#state().filter(({ key }) => isInRange(key, compare.range));
    if (kvs.length === 0) return compare.target !== 'value' && isAs(compare.is, ordered(0n, BigInt(compare.value)));
    return kvs.every((kv) => {
      if (compare.target === 'value') return isAs(compare.is, compareBytes(kv.value, compare.value));
      return isAs(compare.is, ordered(BigInt(kv[compare.target] ?? 0n), BigInt(compare.value)));
    });
  }

  #checkPlan({ steps }: Plan): Refusal | undefined {
    for (const step of steps) {
      const refusal = this.#checkStep(step);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  #checkStep(step: Plan['steps'][number]): Refusal | undefined {
    switch (step.kind) {
      case 'put':
        return this.#checkPut(step);
      case 'range':
        return this.#checkRevision(step.revision);
      case 'delete':
        return undefined;
      case 'plan':
        return this.#checkPlan(step);
    }
  }

  #doPlan({ steps }: Plan): readonly TxnResult[] {
    return steps.map((step) => this.#doStep(step));
  }

  #doStep(step: Plan['steps'][number]): TxnResult {
    switch (step.kind) {
      case 'put':
        return this.#doPut(step);
      case 'range':
        return { kind: 'range', ...this.#list(step) };
      case 'delete': {
        const deleted = this.#doDelete(step.range);
        return { kind: 'delete', deleted: deleted.length, previous: step.previous === true ? deleted : [] };
      }
      case 'plan':
        return { kind: 'txn', succeeded: step.succeeded, results: this.#doPlan(step) };
    }
  }

  #doPut(put: TxnPut | PutRequest): Extract<TxnResult, { kind: 'put' }> {
    const old = this.#find(put.key);
    const revision = this.revision + 1;
    const createRevision = old?.createRevision ?? revision;
    const version = (old?.version ?? 0) + 1;
    const lease = put.keepsLease === true ? old?.lease : put.lease;
    const kv: KeyValue = {
      key: Uint8Array.from(put.key),
      value: put.keepsValue === true && old !== undefined ? old.value : Uint8Array.from(put.value),
      createRevision,
      modRevision: revision,
      version,
      ...(lease === undefined ? {} : { lease }),
    };
    this.#unfinished.push({ type: 'put', kv, previous: undefined });
    const previous = put.previous === true ? old : undefined;
    return { kind: 'put', created: old === undefined, createRevision, version, previous };
  }

  /** What was there, in byte order. */
  #doDelete(range: KeyRange): readonly KeyValue[] {
    const deleted = this.#state().filter(({ key }) => isInRange(key, range));
    for (const { key } of deleted) {
      const kv = { key, value: new Uint8Array(), createRevision: 0, modRevision: this.revision + 1, version: 0 };
      this.#unfinished.push({ type: 'delete', kv, previous: undefined });
    }
    return deleted;
  }

  /** Counts what is in the range; then leaves out by bounds, sorts, and cuts, in this order. */
  #list(request: RangeRequest): Pick<Extract<TxnResult, { kind: 'range' }>, 'kvs' | 'count' | 'more'> {
    const { range, revision, bounds = {}, limit, sort, order } = request;
    const all = this.#state(revision).filter(({ key }) => isInRange(key, range));
    if (request.countOnly) return { kvs: [], count: all.length, more: false };
    const listed = all.filter((kv) => isWithin(bounds, kv)).sort(compareBy(sort));
    if (order === 'desc') listed.reverse();
    const more = limit > 0 && listed.length > limit;
    const page = more ? listed.slice(0, limit) : listed;
    const kvs = request.keysOnly ? page.map((kv) => ({ ...kv, value: new Uint8Array() })) : page;
    return { kvs, count: all.length, more };
  }

  /** All keys in byte order, as they were after `revision`; without one as they are, seen from within a write. */
  #state(revision?: Revision): readonly KeyValue[] {
    const kvs = new Map<string, KeyValue>();
    for (const { type, kv } of this.#eventsUpTo(revision)) {
      const name = Buffer.from(kv.key).toString('latin1');
      if (type === 'put') kvs.set(name, kv);
      else kvs.delete(name);
    }
    return [...kvs.values()].sort((a, b) => compareBytes(a.key, b.key));
  }

  #find(key: Uint8Array, revision?: Revision): KeyValue | undefined {
    const last = this.#eventsUpTo(revision).findLast(({ kv }) => compareBytes(kv.key, key) === 0);
    return last?.type === 'put' ? last.kv : undefined;
  }

  #eventsUpTo(revision: Revision | undefined): readonly WatchEvent[] {
    if (revision !== undefined) return this.#events.slice(0, revision + 1).flat();
    return [...this.#events.flat(), ...this.#unfinished];
  }

  #revisionsFrom(first: Revision): readonly RevisionEvents[] {
    return this.#events.map((events, revision) => ({ revision, events })).filter(({ revision }) => revision >= first);
  }

  /** What the key was one revision before: not what the same transaction had made of it (as etcd). */
  #withPrevious(event: WatchEvent): WatchEvent {
    return { ...event, previous: this.#find(event.kv.key, event.kv.modRevision - 1) };
  }
}

function badRequest(reason: string): Refusal {
  return { kind: 'bad_request', reason };
}

function holds(condition: Condition | undefined, present: KeyValue | undefined): boolean {
  if (condition === undefined) return true;
  if (condition.kind === 'absent') return present === undefined;
  if (condition.kind === 'exists') return present !== undefined;
  return present !== undefined && condition.revisions.includes(present.modRevision);
}

function isWithin(bounds: RevisionBounds, { modRevision, createRevision }: KeyValue): boolean {
  const { minModRevision = 0, maxModRevision = Number.POSITIVE_INFINITY } = bounds;
  const { minCreateRevision = 0, maxCreateRevision = Number.POSITIVE_INFINITY } = bounds;
  const isModWithin = modRevision >= minModRevision && modRevision <= maxModRevision;
  return isModWithin && createRevision >= minCreateRevision && createRevision <= maxCreateRevision;
}

/** Lease ids do not fit into a number, so everything that is compared as a number is compared as a bigint. */
function ordered(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function isAs(is: Compare['is'], order: number): boolean {
  switch (is) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '>':
      return order > 0;
  }
}
