import type { Random } from '../../src/base/random.ts';
import { keyRange, prefixRange } from '../../src/contract/key-range.ts';
import type { Condition, KeyRange, RangeRequest, RangeSort, Revision, RevisionBounds } from '../../src/contract/kv.ts';
import type { LeaseId } from '../../src/contract/lease.ts';
import type { Compare, TxnOperation, TxnRequest } from '../../src/contract/txn.ts';
import type { WatchRequest } from '../../src/contract/watch.ts';
import { checkTxn } from './check-txn.ts';
import type { Outcome, Write } from './outcome.ts';
import { printable } from './printable.ts';
import type { StoreModel } from './store-model.ts';

/** One step of a history. All of it is plain data: it can be printed, and done to a store and to the model alike. */
export type Step =
  | { readonly kind: 'write'; readonly write: Write; readonly token: string | undefined }
  | { readonly kind: 'get'; readonly key: Uint8Array; readonly revision: Revision | undefined }
  | { readonly kind: 'range'; readonly request: RangeRequest }
  | { readonly kind: 'events'; readonly request: WatchRequest };

/** What the generator has to know of the store, so that what it makes up is not nonsense most of the time. */
export interface Surroundings {
  readonly revision: Revision;
  readonly compactRevision: Revision;
}

export interface HistoryKnobs {
  /** How often each kind of step comes, relative to the others; 0: never. */
  readonly weights: Readonly<Record<Step['kind'] | Write['kind'], number>>;
  /** Keys come from these, and ranges begin and end at these and near them. */
  readonly keys: readonly Uint8Array[];
  /** Leases have these ids and no others; a few of them meet each other. */
  readonly leaseIds: readonly LeaseId[];
  /** Bytes of a value; 0 to this. */
  readonly valueBytesMax: number;
  /** Transactions within transactions; 0: flat ones only. */
  readonly txnNestingMax: number;
  /** Operations in one branch. */
  readonly txnOperationsMax: number;
  /** Of 100 transactions how many may break a rule of transactions (`checkTxn`). */
  readonly badTxnPercent: number;
  /** Of 100 transactions how many put a key in one nested transaction and delete it in the next, which etcd allows. */
  readonly putThenDeletePercent: number;
  /** Of 100 writes how many carry a token. */
  readonly tokenPercent: number;
  /** Of 100 writes with a token, and of 100 lists, how many were sent before. */
  readonly repeatPercent: number;
  /** Of 100 revisions of the past how many are beyond what can be read: compacted, or still to come. */
  readonly badRevisionPercent: number;
}

/**
 * What strings, signs, prefixes and successors get wrong: zero bytes, 0xff, keys that are prefixes of each other, the
 * successors of keys, surrogates that are no UTF-8, and the pair whose UTF-16 order is not their byte order.
 */
export const uglyKeys: readonly Uint8Array[] = [
  ...['00', '0000', '00ff', '01', '61', '6100', '610000', '6101', '61ff', '61ff00', '62', '7f', '80', '90'],
  ...['eda080', 'ee8080', 'f0908080', 'fe', 'feff', 'ff', 'ff00', 'ffff'],
].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));

export const defaultKnobs: HistoryKnobs = {
  weights: {
    write: 70,
    get: 8,
    range: 14,
    events: 8,
    put: 40,
    delete: 10,
    deleteRange: 4,
    txn: 30,
    leaseGrant: 6,
    leaseRevoke: 4,
    leaseCheckpoint: 3,
    compact: 3,
  },
  keys: uglyKeys,
  // Numbers round the second pair to the same.
  leaseIds: [1n, 2n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n],
  valueBytesMax: 6,
  txnNestingMax: 3,
  txnOperationsMax: 5,
  badTxnPercent: 4,
  putThenDeletePercent: 3,
  tokenPercent: 15,
  repeatPercent: 40,
  badRevisionPercent: 10,
};

/** Makes up one step after another. The same random numbers and the same surroundings give the same steps. */
export class RandomHistory {
  readonly #random: Random;
  readonly #knobs: HistoryKnobs;
  /** The last writes that carried a token: what can be sent again. */
  readonly #sent: { readonly write: Write; readonly token: string }[] = [];
  #tokens = 0;
  /** The last lists of the present: clients look after the same keys again and again. */
  readonly #lists: RangeRequest[] = [];

  constructor(random: Random, knobs: Partial<HistoryKnobs> = {}) {
    this.#random = random;
    this.#knobs = { ...defaultKnobs, ...knobs };
  }

  next(surroundings: Surroundings): Step {
    switch (this.#weighed(['write', 'get', 'range', 'events'])) {
      case 'write':
        return this.#write(surroundings);
      case 'get':
        return { kind: 'get', key: this.#key(), revision: this.#maybe(60, () => this.#past(surroundings)) };
      case 'range':
        return { kind: 'range', request: this.#listRequest(surroundings) };
      case 'events':
        return { kind: 'events', request: this.watchRequest(surroundings) };
    }
  }

  /** Also for the watches that a test keeps open beside the history. */
  watchRequest(surroundings: Surroundings): WatchRequest {
    return {
      range: this.#range(),
      revision: this.#maybe(80, () => this.#past(surroundings)),
      previous: this.#chance(50),
      filter: this.#pick([undefined, undefined, 'put', 'delete']),
    };
  }

  #write(surroundings: Surroundings): Step {
    if (!this.#chance(this.#knobs.tokenPercent)) {
      return { kind: 'write', write: this.#newWrite(surroundings), token: undefined };
    }
    if (this.#sent.length > 0 && this.#chance(this.#knobs.repeatPercent)) {
      const { write, token } = this.#pick(this.#sent);
      // Once in a while a client mistakes a token for a fresh one.
      return { kind: 'write', write: this.#chance(10) ? this.#newWrite(surroundings) : write, token };
    }
    const sent = { write: this.#newWrite(surroundings), token: `token-${this.#tokens++}` };
    this.#sent.push(sent);
    if (this.#sent.length > sentMax) this.#sent.shift();
    return { kind: 'write', ...sent };
  }

  #newWrite(surroundings: Surroundings): Write {
    const kind = this.#weighed([
      'put',
      'delete',
      'deleteRange',
      'txn',
      'leaseGrant',
      'leaseRevoke',
      'leaseCheckpoint',
      'compact',
    ]);
    switch (kind) {
      case 'put':
        return { ...this.#put(), condition: this.#condition(surroundings), previous: this.#chance(40) };
      case 'delete':
        return {
          kind,
          key: this.#key(),
          condition: this.#condition(surroundings),
          previous: this.#chance(40),
        };
      case 'deleteRange':
        return { kind, range: this.#range() };
      case 'txn':
        return { kind, txn: this.#txn(surroundings) };
      case 'leaseGrant':
        return { kind, id: this.#leaseId(), ttl: 1 + this.#random.below(100) };
      case 'leaseRevoke':
        return { kind, id: this.#leaseId() };
      case 'leaseCheckpoint':
        return { kind, id: this.#leaseId(), remaining: this.#maybe(80, () => 1 + this.#random.below(100)) };
      case 'compact':
        return { kind, revision: Math.max(1, this.#past(surroundings)) };
    }
  }

  #put(): Extract<TxnOperation, { kind: 'put' }> {
    const keepsValue = this.#chance(12);
    const keepsLease = this.#chance(12);
    return {
      kind: 'put',
      key: this.#key(),
      value: keepsValue ? new Uint8Array() : this.#value(),
      ...(!keepsLease && this.#chance(25) ? { lease: this.#leaseId() } : {}),
      ...(keepsValue ? { keepsValue } : {}),
      ...(keepsLease ? { keepsLease } : {}),
    };
  }

  #condition({ revision }: Surroundings): Condition | undefined {
    switch (this.#random.below(8)) {
      case 0:
        return { kind: 'exists' };
      case 1:
        return { kind: 'absent' };
      case 2:
        return { kind: 'modRevisionIn', revisions: this.#list(0, 12, () => 1 + this.#random.below(revision)) };
      default:
        return undefined;
    }
  }

  /** Most made-up transactions break a rule, because they put a key twice; so a few are made up for each. */
  #txn(surroundings: Surroundings): TxnRequest {
    if (this.#chance(this.#knobs.putThenDeletePercent)) return this.#putThenDelete();
    const mayBeBad = this.#chance(this.#knobs.badTxnPercent);
    for (let attempt = 0; attempt < 20; attempt++) {
      const txn = this.#txnOf(surroundings, this.#knobs.txnNestingMax);
      if (mayBeBad || checkTxn(txn) === undefined) return txn;
    }
    return { compare: [this.#compare(surroundings)], success: [this.#put()], failure: [] };
  }

  /** Chance alone hardly makes one: a key that is changed twice by one revision, and is not there after it. */
  #putThenDelete(): TxnRequest {
    const put = this.#put();
    const range = this.#chance(50) ? keyRange(put.key) : prefixRange(put.key.subarray(0, 1));
    const steps: readonly TxnOperation[] = [put, { kind: 'delete', range, previous: this.#chance(40) }];
    const nested = steps.map((step): TxnOperation => {
      return { kind: 'txn', txn: { compare: [], success: [step], failure: [] } };
    });
    return { compare: [], success: nested, failure: [] };
  }

  /** The deeper, the shorter: otherwise hardly any deep one would keep the rules. */
  #txnOf(surroundings: Surroundings, nesting: number): TxnRequest {
    const { txnNestingMax, txnOperationsMax } = this.#knobs;
    const operationsMax = Math.max(2, txnOperationsMax - (txnNestingMax - nesting));
    const branch = (): readonly TxnOperation[] =>
      this.#list(0, operationsMax, () => this.#operation(surroundings, nesting));
    return { compare: this.#list(0, 2, () => this.#compare(surroundings)), success: branch(), failure: branch() };
  }

  #operation(surroundings: Surroundings, nesting: number): TxnOperation {
    const chance = this.#random.below(100);
    if (chance < 30) return { ...this.#put(), previous: this.#chance(40) };
    if (chance < 45) {
      const range = this.#chance(60) ? keyRange(this.#key()) : this.#range();
      return { kind: 'delete', range, previous: this.#chance(40) };
    }
    if (chance < 75 && nesting > 0) return { kind: 'txn', txn: this.#txnOf(surroundings, nesting - 1) };
    return { kind: 'range', ...this.#rangeRequest(surroundings) };
  }

  #compare({ revision }: Surroundings): Compare {
    const range = this.#chance(60) ? keyRange(this.#key()) : this.#range();
    const is = this.#pick(['=', '!=', '<', '>'] as const);
    const target = this.#pick(['value', 'version', 'createRevision', 'modRevision', 'lease'] as const);
    switch (target) {
      case 'value':
        return { range, is, target, value: this.#value() };
      case 'version':
        return { range, is, target, value: this.#random.below(4) };
      case 'lease':
        return { range, is, target, value: this.#chance(50) ? 0n : this.#leaseId() };
      default:
        return { range, is, target, value: this.#chance(30) ? 0 : this.#random.below(revision + 2) };
    }
  }

  #listRequest(surroundings: Surroundings): RangeRequest {
    if (this.#lists.length > 0 && this.#chance(this.#knobs.repeatPercent)) return this.#pick(this.#lists);
    const request = this.#rangeRequest(surroundings);
    if (request.revision === undefined) this.#lists.push(request);
    if (this.#lists.length > listsMax) this.#lists.shift();
    return request;
  }

  #rangeRequest(surroundings: Surroundings): RangeRequest {
    const revision = this.#maybe(30, () => this.#past(surroundings));
    const bounds = this.#maybe(25, () => this.#bounds(surroundings));
    return {
      range: this.#range(),
      ...(revision === undefined ? {} : { revision }),
      ...(bounds === undefined ? {} : { bounds }),
      limit: this.#chance(50) ? 0 : 1 + this.#random.below(8),
      keysOnly: this.#chance(20),
      countOnly: this.#chance(10),
      sort: this.#pick<RangeSort>(['key', 'key', 'key', 'modRevision', 'createRevision', 'version', 'value']),
      order: this.#pick(['asc', 'asc', 'desc'] as const),
    };
  }

  #bounds({ revision }: Surroundings): RevisionBounds {
    const names = ['minModRevision', 'maxModRevision', 'minCreateRevision', 'maxCreateRevision'] as const;
    const chosen = names.filter(() => this.#chance(40));
    return Object.fromEntries(chosen.map((name) => [name, 1 + this.#random.below(revision)]));
  }

  /** One key, a prefix, from a key on, everything, from a key to another (also the wrong way round), or nothing. */
  #range(): KeyRange {
    const key = this.#key();
    switch (this.#random.below(8)) {
      case 0:
        return { start: new Uint8Array(), end: undefined };
      case 1:
        return { start: key, end: undefined };
      case 2:
        return prefixRange(key.subarray(0, 1));
      case 3:
      case 4:
        return keyRange(key);
      case 5:
        return { start: key, end: key };
      default:
        return this.#between(key, this.#key());
    }
  }

  #between(a: Uint8Array, b: Uint8Array): KeyRange {
    const isRight = Buffer.compare(a, b) < 0 || this.#chance(10);
    const [start, last] = isRight ? [a, b] : [b, a];
    // The successor of a key is where ranges that end just behind it end.
    return { start, end: this.#chance(30) ? (keyRange(last).end ?? last) : last };
  }

  #past({ revision, compactRevision }: Surroundings): Revision {
    if (this.#chance(this.#knobs.badRevisionPercent)) {
      return this.#chance(50) ? revision + 1 + this.#random.below(3) : 1 + this.#random.below(compactRevision + 1);
    }
    // The edge is where mistakes are.
    const oldest = Math.max(1, compactRevision);
    if (this.#chance(15)) return Math.min(revision, oldest + this.#random.below(2));
    return oldest + this.#random.below(revision - oldest + 1);
  }

  #key(): Uint8Array {
    return this.#pick(this.#knobs.keys);
  }

  #leaseId(): LeaseId {
    return this.#pick(this.#knobs.leaseIds);
  }

  /** Few different bytes, so that values are equal and less than each other often. */
  #value(): Uint8Array {
    const bytes = [0x00, 0x61, 0xff];
    return Uint8Array.from(this.#list(0, this.#knobs.valueBytesMax, () => this.#pick(bytes)));
  }

  #chance(percent: number): boolean {
    return this.#random.below(100) < percent;
  }

  #maybe<T>(percent: number, make: () => T): T | undefined {
    return this.#chance(percent) ? make() : undefined;
  }

  #list<T>(min: number, max: number, make: () => T): T[] {
    return Array.from({ length: min + this.#random.below(max - min + 1) }, make);
  }

  #pick<T>(from: readonly T[]): T {
    const index = this.#random.below(from.length);
    if (index >= from.length) throw new RangeError('there is nothing to pick from');
    return from[index] as T;
  }

  #weighed<Kind extends keyof HistoryKnobs['weights']>(kinds: readonly Kind[]): Kind {
    const { weights } = this.#knobs;
    let left = this.#random.below(kinds.reduce((sum, kind) => sum + weights[kind], 0));
    for (const kind of kinds) {
      if (left < weights[kind]) return kind;
      left -= weights[kind];
    }
    throw new RangeError(`no weight is above 0: ${kinds.join(', ')}`);
  }
}

/** Does the step to the model. */
export function applyStep(model: StoreModel, step: Step): Outcome {
  switch (step.kind) {
    case 'write':
      return model.apply(step.write, step.token);
    case 'get':
      return model.get(step.key, step.revision);
    case 'range':
      return model.range(step.request);
    case 'events':
      return model.eventsSince(step.request);
  }
}

/** One line: what has to be in the message of a test that fails at this step. */
export function describeStep(step: Step): string {
  return printable(step);
}

const listsMax = 6;
const sentMax = 20;
