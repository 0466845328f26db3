import type { KeyRange } from '../../contract/kv.ts';
import { type LeaseId, parseLeaseId } from '../../contract/lease.ts';
import { type Compare, txnLimits } from '../../contract/txn.ts';
import {
  anyCount,
  base64Bytes,
  integerAt,
  type JsonObject,
  objectAt,
  type Place,
  placeIn,
  refusedAt,
  textBytes,
} from './json-members.ts';
import { rangeIn, rangeMembers } from './json-range.ts';

const numberTargets = ['version', 'createRevision', 'modRevision'] as const;
const operators = ['=', '!=', '<', '>'] as const;
const operatorSet: ReadonlySet<string> = new Set(operators);
const compareMembers: ReadonlySet<string> = new Set([
  ...rangeMembers,
  'value',
  'valueBase64',
  ...numberTargets,
  'lease',
  'exists',
]);

/** The items of an `if`. Each may hold several comparisons of its keys, and each target several operators. */
export function comparesAt(items: readonly unknown[], place: Place): Compare[] {
  const compares: Compare[] = [];
  for (const [i, item] of items.entries()) {
    const within = placeIn(place, i);
    const before = compares.length;
    for (const compare of comparesOf(objectAt(item, within, compareMembers), within)) compares.push(compare);
    if (compares.length === before) {
      throw refusedAt(within, 'compares nothing; add exists, value, version, createRevision, modRevision or lease');
    }
    if (compares.length > txnLimits.operationsMax) {
      throw refusedAt(place, `has more than ${txnLimits.operationsMax} comparisons, the most there can be`);
    }
  }
  return compares;
}

function* comparesOf(item: JsonObject, place: Place): Generator<Compare, void, undefined> {
  const range = rangeIn(item, place);
  if (item['exists'] !== undefined) yield existence(item, range, place);
  for (const target of numberTargets) {
    for (const { is, operand, at } of comparisonsIn(item, target, place)) {
      yield { range, is, target, value: integerAt(operand, at, anyCount) };
    }
  }
  for (const { is, operand, at } of comparisonsIn(item, 'value', place)) {
    yield { range, is, target: 'value', value: textBytes(operand, at) };
  }
  for (const { is, operand, at } of comparisonsIn(item, 'valueBase64', place)) {
    yield { range, is, target: 'value', value: base64Bytes(operand, at) };
  }
  for (const { is, operand, at } of comparisonsIn(item, 'lease', place)) {
    yield { range, is, target: 'lease', value: leaseOrNone(operand, at) };
  }
}

/** A key exists if and only if its version is not 0. */
function existence(item: JsonObject, range: KeyRange, place: Place): Compare {
  const exists = item['exists'];
  if (typeof exists !== 'boolean') throw refusedAt(placeIn(place, 'exists'), 'must be true or false');
  if (exists && item['key'] === undefined && item['keyBase64'] === undefined) {
    throw refusedAt(placeIn(place, 'exists'), 'can be true only for a `key`: of no keys at all, everything is true');
  }
  return { range, is: exists ? '!=' : '=', target: 'version', value: 0 };
}

interface Comparison {
  readonly is: Compare['is'];
  readonly operand: unknown;
  readonly at: Place;
}

function comparisonsIn(item: JsonObject, target: string, within: Place): readonly Comparison[] {
  const value = item[target];
  if (value === undefined) return [];
  const place = placeIn(within, target);
  const comparison = objectAt(value, place, operatorSet);
  const given = operators.filter((operator) => comparison[operator] !== undefined);
  if (given.length === 0) throw refusedAt(place, 'needs an operator: =, !=, < or >, as in {"=": 5}');
  return given.map((is) => ({ is, operand: comparison[is], at: placeIn(place, is) }));
}

function leaseOrNone(value: unknown, place: Place): LeaseId | 0n {
  if (typeof value === 'string') {
    if (/^0{1,16}$/.test(value)) return 0n;
    const id = parseLeaseId(value);
    if (id !== undefined) return id;
  }
  throw refusedAt(place, 'must be the id of a lease: text of 1 to 16 hexadecimal digits, or "0" for none');
}
