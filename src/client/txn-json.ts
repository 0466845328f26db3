import { BalsaError } from '../contract/errors.ts';
import { formatLeaseId } from '../contract/lease.ts';
import type { TxnResult } from '../contract/txn.ts';
import { keyValueOf, type WireKeyValue } from './answers.ts';
import { bytesMember } from './json-bytes.ts';
import { bytesOf, type Key } from './key-path.ts';
import type { Comparison, Txn, TxnDelete, TxnGet, TxnKeys, TxnOperation, TxnOutcome, TxnPut } from './txn.ts';

/** An object of the REST API, as it is given to `JSON.stringify`. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The body of `POST /v1/txn`. */
export function txnJson(txn: Txn): JsonObject {
  return {
    if: (txn.compare ?? []).map(comparisonJson),
    // biome-ignore lint/suspicious/noThenProperty: a word of the REST API; a list is not taken for a promise's method.
    then: (txn.success ?? []).map(operationJson),
    else: (txn.failure ?? []).map(operationJson),
  };
}

/** The answer to `POST /v1/txn`. */
export interface WireTxnOutcome {
  readonly succeeded: boolean;
  readonly revision: number;
  readonly results: readonly WireTxnResult[];
}

interface WireTxnResult {
  readonly put?: {
    readonly created: boolean;
    readonly createRevision: number;
    readonly version: number;
    readonly prevKv?: WireKeyValue;
  };
  readonly get?: { readonly kvs?: readonly WireKeyValue[]; readonly count: number; readonly more?: boolean };
  readonly delete?: { readonly deleted: number; readonly prevKvs?: readonly WireKeyValue[] };
  readonly txn?: { readonly succeeded: boolean; readonly results: readonly WireTxnResult[] };
}

export function txnOutcomeOf(wire: WireTxnOutcome): TxnOutcome {
  return { succeeded: wire.succeeded, revision: wire.revision, results: wire.results.map(resultOf) };
}

function resultOf(wire: WireTxnResult): TxnResult {
  if (wire.put !== undefined) {
    const { created, createRevision, version, prevKv } = wire.put;
    return { kind: 'put', created, createRevision, version, previous: prevKv && keyValueOf(prevKv) };
  }
  if (wire.get !== undefined) {
    const { kvs = [], count, more = false } = wire.get;
    return { kind: 'range', kvs: kvs.map(keyValueOf), count, more };
  }
  if (wire.delete !== undefined) {
    const { deleted, prevKvs = [] } = wire.delete;
    return { kind: 'delete', deleted, previous: prevKvs.map(keyValueOf) };
  }
  if (wire.txn !== undefined) {
    return { kind: 'txn', succeeded: wire.txn.succeeded, results: wire.txn.results.map(resultOf) };
  }
  throw new BalsaError(
    'internal',
    `The answer has a result that this client does not know (${Object.keys(wire).join(', ')}). The transaction was done; update the client.`,
  );
}

function comparisonJson(comparison: Comparison): JsonObject {
  return { ...keysJson(comparison), ...targetJson(comparison) };
}

function targetJson(comparison: Comparison): JsonObject {
  if ('value' in comparison) {
    const [is = '=', operand = ''] = Object.entries(comparison.value)[0] ?? [];
    const [[name, written] = ['value', '']] = Object.entries(bytesMember('value', operand as Key));
    return { [name]: { [is]: written } };
  }
  if ('lease' in comparison) {
    const [is = '=', operand = 0n] = Object.entries(comparison.lease)[0] ?? [];
    return { lease: { [is]: formatLeaseId(operand as bigint) } };
  }
  const { key, prefix, start, end, ...target } = comparison as Comparison & GivenKeys;
  return target;
}

function operationJson(operation: TxnOperation): JsonObject {
  if ('put' in operation) return { put: putJson(operation.put) };
  if ('get' in operation) return { get: getJson(operation.get) };
  if ('delete' in operation) return { delete: deleteJson(operation.delete) };
  return { txn: txnJson(operation.txn) };
}

function putJson(put: TxnPut): JsonObject {
  const { key, lease, previous, keepsLease } = put;
  return {
    ...bytesMember('key', key),
    ...('value' in put ? bytesMember('value', put.value) : { ignoreValue: true }),
    ...(keepsLease === true && { ignoreLease: true }),
    ...(lease !== undefined && { lease: formatLeaseId(lease) }),
    ...(previous === true && { prevKv: true }),
  };
}

function getJson(get: TxnGet): JsonObject {
  const { key, prefix, start, end, ...shape } = get as TxnGet & GivenKeys;
  return { ...keysJson(get), ...shape };
}

function deleteJson(operation: TxnDelete): JsonObject {
  return { ...keysJson(operation), ...(operation.previous === true && { prevKv: true }) };
}

type GivenKeys = Partial<Record<'key' | 'prefix' | 'start' | 'end', Key>>;

function keysJson(keys: TxnKeys): JsonObject {
  const given = keys as GivenKeys;
  const members = (['key', 'prefix', 'start', 'end'] as const).flatMap((name) => {
    const bytes = given[name];
    return bytes === undefined ? [] : [bytesMember(name, bytesOf(bytes))];
  });
  return Object.assign({}, ...members);
}
