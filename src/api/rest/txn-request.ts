import { limits, type RangeSort } from '../../contract/kv.ts';
import { type TxnOperation, type TxnRequest, txnLimits } from '../../contract/txn.ts';
import {
  anyRevision,
  bytesIn,
  bytesMembers,
  choiceIn,
  flagIn,
  integerIn,
  type JsonObject,
  leaseIdIn,
  listIn,
  objectAt,
  type Place,
  placeIn,
  refusedAt,
  wholeBody,
} from './json-members.ts';
import { keyIn, rangeIn, rangeMembers, rangeToDeleteIn } from './json-range.ts';
import { choicesOf, rangeOf } from './parameters.ts';
import { comparesAt } from './txn-compare.ts';

type Operation<Kind extends TxnOperation['kind']> = Extract<TxnOperation, { kind: Kind }>;

const txnMembers: ReadonlySet<string> = new Set(['if', 'then', 'else']);
const operationMembers: ReadonlySet<string> = new Set(['put', 'get', 'delete', 'txn']);
const putMembers: ReadonlySet<string> = new Set([
  ...bytesMembers('key', 'value'),
  'lease',
  'prevKv',
  'ignoreValue',
  'ignoreLease',
]);
const boundNames = ['minModRevision', 'maxModRevision', 'minCreateRevision', 'maxCreateRevision'] as const;
const getMembers: ReadonlySet<string> = new Set([
  ...rangeMembers,
  'revision',
  ...boundNames,
  'limit',
  'keysOnly',
  'countOnly',
  'sort',
  'order',
]);
const deleteMembers: ReadonlySet<string> = new Set([...rangeMembers, 'prevKv']);

const emptyValue = Buffer.alloc(0);

/**
 * The body of `POST /v1/txn` as a request to the service. Hand-written: bulk loads send a hundred puts in each.
 *
 * @throws BalsaError `bad_request` that names the place, as in `then[2].put.key`.
 */
export function parseTxn(body: unknown): TxnRequest {
  return txnAt(body, wholeBody, 1);
}

/** `depth`: 1 for the transaction that holds all others. */
function txnAt(value: unknown, place: Place, depth: number): TxnRequest {
  // Also what keeps this from calling itself without end.
  if (depth > txnLimits.depthMax) {
    throw refusedAt(place, `is nested too deeply: transactions hold each other ${txnLimits.depthMax} deep at most`);
  }
  const txn = objectAt(value, place, txnMembers);
  return {
    compare: comparesAt(listIn(txn, 'if', place), placeIn(place, 'if')),
    success: operationsIn(txn, 'then', place, depth),
    failure: operationsIn(txn, 'else', place, depth),
  };
}

function operationsIn(txn: JsonObject, name: 'then' | 'else', within: Place, depth: number): TxnOperation[] {
  const list = listIn(txn, name, within);
  const place = placeIn(within, name);
  if (list.length > txnLimits.operationsMax) {
    throw refusedAt(place, `has ${list.length} operations; the most is ${txnLimits.operationsMax}`);
  }
  return list.map((item, i) => operationAt(item, placeIn(place, i), depth));
}

function operationAt(value: unknown, place: Place, depth: number): TxnOperation {
  const operation = objectAt(value, place, operationMembers);
  const [kind, another] = Object.keys(operation);
  if (kind === undefined || another !== undefined) {
    throw refusedAt(place, 'must have one member: put, get, delete or txn');
  }
  const within = placeIn(place, kind);
  switch (kind) {
    case 'put':
      return putAt(operation[kind], within);
    case 'get':
      return getAt(operation[kind], within);
    case 'delete':
      return deleteAt(operation[kind], within);
    default:
      return { kind: 'txn', txn: txnAt(operation[kind], within, depth + 1) };
  }
}

function putAt(value: unknown, place: Place): Operation<'put'> {
  const put = objectAt(value, place, putMembers);
  const keepsValue = flagIn(put, 'ignoreValue', place);
  const keepsLease = flagIn(put, 'ignoreLease', place);
  const operation = {
    kind: 'put',
    key: keyIn(put, place),
    value: valueIn(put, place, keepsValue),
    previous: flagIn(put, 'prevKv', place),
    keepsValue,
    keepsLease,
  } as const;
  const lease = leaseIdIn(put, 'lease', place);
  if (lease === undefined) return operation;
  if (keepsLease) throw refusedAt(placeIn(place, 'lease'), 'and ignoreLease exclude each other; send one of them');
  return { ...operation, lease };
}

function valueIn(put: JsonObject, place: Place, keepsValue: boolean): Buffer {
  const value = bytesIn(put, 'value', place);
  if (value === undefined) {
    if (keepsValue) return emptyValue;
    throw refusedAt(placeIn(place, 'value'), 'is missing; send "" for the empty value');
  }
  if (keepsValue) throw refusedAt(placeIn(place, 'value'), 'and ignoreValue exclude each other; send one of them');
  return value;
}

function getAt(value: unknown, place: Place): Operation<'range'> {
  const get = objectAt(value, place, getMembers);
  const revision = integerIn(get, 'revision', place, anyRevision);
  return {
    kind: 'range',
    range: rangeIn(get, place),
    ...(revision !== undefined && { revision }),
    bounds: boundsIn(get, place),
    limit: integerIn(get, 'limit', place, rangeOf('limit')) ?? limits.rangeLimitDefault,
    keysOnly: flagIn(get, 'keysOnly', place),
    countOnly: flagIn(get, 'countOnly', place),
    sort: choiceIn<RangeSort>(get, 'sort', place, choicesOf('sort')) ?? 'key',
    order: choiceIn<'asc' | 'desc'>(get, 'order', place, choicesOf('order')) ?? 'asc',
  };
}

function boundsIn(get: JsonObject, place: Place): Record<string, number> {
  const bounds: Record<string, number> = {};
  for (const name of boundNames) {
    const revision = integerIn(get, name, place, anyRevision);
    if (revision !== undefined) bounds[name] = revision;
  }
  return bounds;
}

function deleteAt(value: unknown, place: Place): Operation<'delete'> {
  const deletion = objectAt(value, place, deleteMembers);
  return { kind: 'delete', range: rangeToDeleteIn(deletion, place), previous: flagIn(deletion, 'prevKv', place) };
}
