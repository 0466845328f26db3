import { isSingleKey } from '../contract/key-range.ts';
import type { Revision } from '../contract/kv.ts';
import type { Compare, TxnOperation, TxnRequest, TxnResult } from '../contract/txn.ts';
import { txnLimits } from '../contract/txn.ts';
import {
  type Applying,
  contentOf,
  deleteRange,
  isOverQuota,
  kvOf,
  refused,
  refuseForSpace,
  type ScanQuestion,
} from './apply.ts';
import { type Command, deleteRangeLimits } from './command.ts';
import type { Draft } from './draft.ts';
import { withoutPrefix } from './key-space.ts';
import { RangeCollector } from './range-collector.ts';
import type { CurrentRecord } from './record.ts';
import type { Refusal } from './result.ts';

/** Ends the whole transaction: it then changes nothing. */
class Abort extends Error {
  readonly refusal: Refusal;
  readonly figures: readonly number[];

  constructor(refusal: Refusal, figures: readonly number[] = []) {
    super(refusal);
    this.refusal = refusal;
    this.figures = figures;
  }
}

/** Bytes that the transaction may still read. */
interface Budget {
  readonly bytesMax: number;
  bytesLeft: number;
}

/** The branch that was chosen, with the branches chosen within it. */
interface Plan {
  readonly succeeded: boolean;
  readonly steps: readonly Step[];
}

type Step = Exclude<TxnOperation, { kind: 'txn' }> | ({ readonly kind: 'plan' } & Plan);
type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;
type Running<T> = Generator<ScanQuestion, T, void>;

/**
 * As etcd (`server/etcdserver/txn`): first all branches are chosen, also the nested ones, by what was there before; then
 * what they write is checked against that; then it is done, and each operation sees what those before it did. All that is
 * changed has one revision; a transaction that changes nothing has none.
 */
export function* applyTxn(draft: Draft, command: Extract<Command, { kind: 'txn' }>): Applying {
  const bytesMax = command.answerBytesMax ?? txnLimits.answerBytesMax;
  const plan = yield* choose(draft, command.txn);
  let results: readonly TxnResult[];
  try {
    checkPlan(draft, plan);
    results = yield* doPlan(draft, plan, { bytesMax, bytesLeft: bytesMax });
  } catch (reason) {
    if (reason instanceof Abort) return refused(draft.tables, reason.refusal, reason.figures);
    throw reason;
  }
  const { tables, usedBytes } = draft;
  const grows = usedBytes > tables.usedBytes && hasPut(results);
  if (grows && isOverQuota(tables, usedBytes)) return refuseForSpace(tables);
  return { kind: 'txn', revision: draft.lastRevision, succeeded: plan.succeeded, results };
}

function* choose(draft: Draft, { compare, success, failure }: TxnRequest): Running<Plan> {
  let succeeded = true;
  for (const one of compare) {
    succeeded = yield* isTrue(draft, one);
    if (!succeeded) break;
  }
  const steps: Step[] = [];
  for (const operation of succeeded ? success : failure) {
    steps.push(operation.kind === 'txn' ? { kind: 'plan', ...(yield* choose(draft, operation.txn)) } : operation);
  }
  return { succeeded, steps };
}

function checkPlan(draft: Draft, { steps }: Plan): void {
  for (const step of steps) {
    if (step.kind === 'plan') checkPlan(draft, step);
    else if (step.kind === 'range') checkRevision(draft, step.revision);
    else if (step.kind === 'put') {
      const content = contentOf(draft, step, draft.current(draft.key(step.key)));
      if (typeof content === 'string') throw new Abort(content);
    }
  }
}

function checkRevision({ tables: { state } }: Draft, revision: Revision | undefined): void {
  if (revision === undefined) return;
  if (revision > state.revision) throw new Abort('future_revision', [state.revision]);
  if (revision < state.compactRevision) throw new Abort('compacted', [state.compactRevision]);
}

function* doPlan(draft: Draft, { steps }: Plan, budget: Budget): Running<readonly TxnResult[]> {
  const results: TxnResult[] = [];
  for (const step of steps) results.push(yield* doStep(draft, step, budget));
  return results;
}

function* doStep(draft: Draft, step: Step, budget: Budget): Running<TxnResult> {
  switch (step.kind) {
    case 'put':
      return put(draft, step, budget);
    case 'range':
      return yield* range(draft, step, budget);
    case 'delete':
      return yield* remove(draft, step, budget);
    case 'plan':
      return { kind: 'txn', succeeded: step.succeeded, results: yield* doPlan(draft, step, budget) };
  }
}

/** A range without keys compares as a key that is not there (etcd's `applyCompare`). */
function* isTrue(draft: Draft, compare: Compare): Running<boolean> {
  if (isSingleKey(compare.range)) return isTrueOf(compare, draft.current(draft.key(compare.range.start)));
  let holds: boolean | undefined;
  yield {
    kind: 'versions',
    range: compare.range,
    revision: undefined,
    visit: (_key, record) => {
      holds = isTrueOf(compare, record);
      return holds;
    },
  };
  return holds ?? isTrueOf(compare, undefined);
}

function isTrueOf(compare: Compare, record: CurrentRecord | undefined): boolean {
  const order = orderOf(compare, record);
  if (order === undefined) return false;
  switch (compare.is) {
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

/** Negative where the key has less than what it is compared with; undefined where there is no value to compare. */
function orderOf(compare: Compare, record: CurrentRecord | undefined): number | undefined {
  if (compare.target === 'value') {
    return record === undefined ? undefined : Buffer.compare(record.value, compare.value);
  }
  if (compare.target === 'lease') {
    const lease = record?.lease ?? 0n;
    return lease < compare.value ? -1 : lease > compare.value ? 1 : 0;
  }
  return (record?.[compare.target] ?? 0) - compare.value;
}

function put(draft: Draft, operation: StepOf<'put'>, budget: Budget): TxnResult {
  const key = draft.key(operation.key);
  const old = draft.current(key);
  const content = contentOf(draft, operation, old);
  if (typeof content === 'string') throw new Abort(content);
  const { createRevision, version } = draft.put(key, content, old);
  const previous = operation.previous && old !== undefined ? kvOf(key, old) : undefined;
  if (previous !== undefined) spend(budget, previous.key.length + previous.value.length);
  return { kind: 'put', created: old === undefined, createRevision, version, previous };
}

function* range(draft: Draft, operation: StepOf<'range'>, budget: Budget): Running<TxnResult> {
  const { revision } = operation;
  const collector = new RangeCollector(operation, budget.bytesLeft);
  if (revision === undefined && isSingleKey(operation.range)) {
    const key = draft.key(operation.range.start);
    const record = draft.current(key);
    if (record !== undefined) collector.add(withoutPrefix(key.bytes), record);
  } else {
    yield {
      kind: 'versions',
      range: operation.range,
      revision,
      visit: (key, record) => {
        collector.add(key, record);
        return true;
      },
    };
  }
  const { kvs, count, more, isTooLarge } = collector.result();
  const bytes = kvs.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  if (isTooLarge) throw new Abort('answer_too_large', [budget.bytesMax]);
  spend(budget, bytes);
  return { kind: 'range', kvs, count, more };
}

function* remove(draft: Draft, operation: StepOf<'delete'>, budget: Budget): Running<TxnResult> {
  const { start } = operation.range;
  if (isSingleKey(operation.range)) {
    const key = draft.key(start);
    const old = draft.current(key);
    if (old === undefined) return { kind: 'delete', deleted: 0, previous: [] };
    draft.delete(key, old);
    const previous = operation.previous ? [kvOf(key, old)] : [];
    for (const kv of previous) spend(budget, kv.key.length + kv.value.length);
    return { kind: 'delete', deleted: 1, previous };
  }
  const { keysMax, bytesMax } = deleteRangeLimits;
  const { isTooLarge, deleted } = yield* deleteRange(draft, operation.range, { keysMax, bytesMax });
  if (isTooLarge) throw new Abort('range_too_large', [keysMax, bytesMax]);
  const previous = operation.previous ? deleted : [];
  for (const kv of previous) spend(budget, kv.key.length + kv.value.length);
  return { kind: 'delete', deleted: deleted.length, previous };
}

function spend(budget: Budget, bytes: number): void {
  budget.bytesLeft -= bytes;
  if (budget.bytesLeft < 0) throw new Abort('answer_too_large', [budget.bytesMax]);
}

function hasPut(results: readonly TxnResult[]): boolean {
  return results.some((one) => one.kind === 'put' || (one.kind === 'txn' && hasPut(one.results)));
}
