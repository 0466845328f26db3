import type { AnswerHeader, KeyValue } from '../../../contract/kv.ts';
import {
  type Compare as AskedCompare,
  type TxnRequest as AskedTxn,
  type TxnAnswer,
  type TxnOperation,
  type TxnResult,
  txnLimits,
} from '../../../contract/txn.ts';
import type { Headers } from '../etcd-options.ts';
import type { Init } from '../proto/message-type.ts';
import {
  type Compare,
  compareResults,
  compareTargets,
  type DeleteRangeRequest,
  type PutRequest,
  type RequestOp,
  type ResponseOp,
  type TxnRequest,
  type TxnResponse,
} from '../proto/messages/kv.ts';
import { EtcdError, etcdErrors } from '../status.ts';
import { clamped, rangeOf } from './key-ranges.ts';
import { checkRange, rangeRequest } from './range.ts';

/** Checks in etcd's order (`checkTxnRequest`), so that of two mistakes the same one is told. */
export function txnRequest(request: TxnRequest, operationsMax: number = txnLimits.operationsMax): AskedTxn {
  const { compare, success, failure } = request;
  const longest = Math.max(compare.length, success.length, failure.length);
  if (longest > operationsMax) throw etcdErrors.tooManyOps();
  if (compare.some(({ key }) => key.length === 0)) throw etcdErrors.emptyKey();
  const operation = (one: RequestOp) => txnOperation(one, operationsMax - longest);
  return {
    success: success.map(operation),
    failure: failure.map(operation),
    compare: compare.map(compareOf),
  };
}

/** As etcd's `checkPutRequest`. */
export function checkPut({ key, value, lease, ignoreValue, ignoreLease }: PutRequest): void {
  if (key.length === 0) throw etcdErrors.emptyKey();
  if (ignoreValue && value.length > 0) throw etcdErrors.valueProvided();
  if (ignoreLease && lease !== 0n) throw etcdErrors.leaseProvided();
  // No lease has such an id here.
  if (lease < 0n) throw etcdErrors.leaseNotFound();
}

export function checkDelete({ key }: DeleteRangeRequest): void {
  if (key.length === 0) throw etcdErrors.emptyKey();
}

/** Fields that say the same in a put of its own and in one within a transaction. */
export function putOptions({ lease, prevKv, ignoreValue, ignoreLease }: PutRequest) {
  return {
    previous: prevKv,
    keepsValue: ignoreValue,
    keepsLease: ignoreLease,
    ...(lease === 0n ? {} : { lease }),
  };
}

function txnOperation(one: RequestOp, operationsMax: number): TxnOperation {
  if (one.requestRange !== undefined) {
    checkRange(one.requestRange);
    return { kind: 'range', ...rangeRequest(one.requestRange) };
  }
  if (one.requestPut !== undefined) {
    checkPut(one.requestPut);
    const { key, value } = one.requestPut;
    return { kind: 'put', key, value, ...putOptions(one.requestPut) };
  }
  if (one.requestDeleteRange !== undefined) {
    checkDelete(one.requestDeleteRange);
    return { kind: 'delete', range: rangeOf(one.requestDeleteRange), previous: one.requestDeleteRange.prevKv };
  }
  if (one.requestTxn !== undefined) return { kind: 'txn', txn: txnRequest(one.requestTxn, operationsMax) };
  // An operation that is none; this is what etcd says.
  throw etcdErrors.keyNotFound();
}

function compareOf(compare: Compare): AskedCompare {
  const range = rangeOf(compare);
  const is = comparisons[compare.result];
  const target = compareTargets[compare.target];
  if (is === undefined || compareResults[compare.result] === undefined || target === undefined) {
    throw new EtcdError('INVALID_ARGUMENT', 'etcdserver: a comparison has a result or a target that does not exist');
  }
  if (target === 'VALUE') return { range, is, target: 'value', value: compare.value };
  const number = numberOf(compare, target);
  // What is compared is never negative: the comparison says the same of every key.
  if (number < 0n) return { range, ...(is === '>' || is === '!=' ? always : never) };
  if (target === 'LEASE') return { range, is, target: 'lease', value: number };
  return { range, is, target: targets[target], value: clamped(number) };
}

function numberOf(compare: Compare, target: Exclude<(typeof compareTargets)[number], 'VALUE'>): bigint {
  if (target === 'LEASE') return compare.lease;
  return compare[targets[target]];
}

const comparisons = ['=', '>', '<', '!='] as const;
const targets = { VERSION: 'version', CREATE: 'createRevision', MOD: 'modRevision' } as const;
const always = { is: '!=', target: 'version', value: Number.MAX_SAFE_INTEGER } as const;
const never = { is: '<', target: 'version', value: 0 } as const;

export function txnResponse(answer: TxnAnswer, headers: Headers): Init<TxnResponse> {
  const { header, succeeded, results } = answer;
  const responses = new Responses(header, hasChanged(results)).of(results);
  return { header: headers.of(header), succeeded, responses };
}

/**
 * The answers of single operations have a header with nothing but a revision: that of the transaction once something was changed,
 * and the one before it until then.
 */
class Responses {
  readonly #revision: number;
  readonly #before: number;
  #isChanged = false;

  constructor({ revision }: AnswerHeader, isChanged: boolean) {
    this.#revision = revision;
    this.#before = isChanged ? revision - 1 : revision;
  }

  of(results: readonly TxnResult[]): readonly Init<ResponseOp>[] {
    return results.map((result) => this.#response(result));
  }

  #response(result: TxnResult): Init<ResponseOp> {
    switch (result.kind) {
      case 'put':
        this.#isChanged = true;
        return { responsePut: { header: this.#header(), prevKv: result.previous } };
      case 'range': {
        const { kvs, more, count } = result;
        return { responseRange: { header: this.#header(), kvs, more, count } };
      }
      case 'delete': {
        const { deleted, previous } = result;
        if (deleted > 0) this.#isChanged = true;
        return { responseDeleteRange: { header: this.#header(), deleted, prevKvs: previous } };
      }
      case 'txn':
        return { responseTxn: { header: {}, succeeded: result.succeeded, responses: this.of(result.results) } };
    }
  }

  #header(): { readonly revision: number } {
    return { revision: this.#isChanged ? this.#revision : this.#before };
  }
}

function hasChanged(results: readonly TxnResult[]): boolean {
  return results.some((result) => {
    if (result.kind === 'put') return true;
    if (result.kind === 'delete') return result.deleted > 0;
    return result.kind === 'txn' && hasChanged(result.results);
  });
}

/** What a deletion of its own says of the keys that it deleted. */
export function deletedKvs(answer: TxnAnswer): { readonly deleted: number; readonly previous: readonly KeyValue[] } {
  const [result] = answer.results;
  return result?.kind === 'delete' ? result : { deleted: 0, previous: [] };
}
