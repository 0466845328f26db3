import type { PastStates } from './event-log.ts';
import { describeOperation, type Fields, holdsIn, type Operation } from './history.ts';

/**
 * Holds a history against the log of all events: an acknowledged write did at its revision what it asked for and nothing
 * else, a read saw the state of its revision, a condition was decided by the state before, a write of unknown outcome
 * was done once or not at all, and nothing happened that nobody asked for. The keys of a group begin with its name.
 */
export function checkAgainstLog(history: readonly Operation[], states: PastStates): string | undefined {
  const byKey = new Map<string, Operation[]>();
  for (const operation of history) {
    const others = byKey.get(operation.key);
    if (others === undefined) byKey.set(operation.key, [operation]);
    else others.push(operation);
  }
  for (const [key, operations] of byKey) {
    const isGroup = operations.some(({ action }) => action.kind === 'txn' || action.kind === 'snapshot');
    const wrong = isGroup ? checkGroup(key, operations, states) : checkKey(key, operations, states);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function checkKey(key: string, operations: readonly Operation[], states: PastStates): string | undefined {
  const writes = operations.filter(isWrite);
  const acknowledged = new Map(writes.filter(isAcknowledged).map((write) => [write.revision, write]));
  const open = writes.filter((write) => !isAcknowledged(write));
  for (const { revision, value } of states.changes(key)) {
    const write = acknowledged.get(revision);
    if (write !== undefined) {
      acknowledged.delete(revision);
      if (valueAfter(write) !== value) return told(write, `revision ${revision} made it ${value}`);
      continue;
    }
    const unknown = open.findIndex((candidate) => valueAfter(candidate) === value);
    if (unknown === -1) return `${key}: revision ${revision} made it ${value}, which nobody asked for, or only once`;
    open.splice(unknown, 1);
  }
  const [lost] = acknowledged.values();
  if (lost !== undefined) return told(lost, `revision ${lost.revision} did not touch ${key}`);
  for (const operation of operations) {
    if (operation.action.kind !== 'get' || operation.revision === undefined) continue;
    const found = fieldOf(states, key, operation.revision);
    if (found !== operation.action.value) return told(operation, `at revision ${operation.revision} it was ${found}`);
  }
  return undefined;
}

function checkGroup(group: string, operations: readonly Operation[], states: PastStates): string | undefined {
  const touched = touchedBy(group, states);
  const open = operations.filter(({ endMs }) => endMs === Number.POSITIVE_INFINITY);
  for (const operation of operations) {
    const { action, revision } = operation;
    if (revision === undefined) continue;
    const wrong = checkSnapshot(operation, states) ?? checkCondition(operation, states);
    if (wrong !== undefined) return wrong;
    if (action.kind !== 'txn' || !action.done) continue;
    const made = touched.get(revision) ?? {};
    if (!isSame(made, action.written)) return told(operation, `revision ${revision} made it ${show(made)}`);
    touched.delete(revision);
  }
  for (const [revision, made] of touched) {
    const unknown = open.findIndex(({ action }) => action.kind === 'txn' && isSame(made, action.written));
    if (unknown === -1)
      return `${group}: revision ${revision} made it ${show(made)}, which nobody asked for, or only once`;
    open.splice(unknown, 1);
  }
  return undefined;
}

function checkSnapshot(operation: Operation, states: PastStates): string | undefined {
  const { action, key, revision = 0 } = operation;
  if (action.kind !== 'snapshot') return undefined;
  const fields = fieldsAt(states, key, revision);
  return isSame(fields, action.values) ? undefined : told(operation, `revision ${revision} held ${show(fields)}`);
}

/** Of one that was done, the state before is what counts. */
function checkCondition(operation: Operation, states: PastStates): string | undefined {
  const { action, key, revision = 0 } = operation;
  if (action.kind !== 'txn') return undefined;
  const fields = fieldsAt(states, key, action.done ? revision - 1 : revision);
  return holdsIn(fields, action.expected) === action.done ? undefined : told(operation, `there was ${show(fields)}`);
}

/** By revision: what it put into the group. */
function touchedBy(group: string, states: PastStates): Map<number, Fields> {
  const touched = new Map<number, Fields>();
  for (const key of states.keys(`${group}/`)) {
    for (const { revision, value } of states.changes(key)) {
      touched.set(revision, { ...touched.get(revision), [key]: value });
    }
  }
  return touched;
}

function fieldsAt(states: PastStates, group: string, revision: number): Fields {
  const found = states.range(`${group}/`, revision);
  return Object.fromEntries(found.map(({ key, value }) => [`${Buffer.from(key)}`, `${Buffer.from(value)}`]));
}

function fieldOf(states: PastStates, key: string, revision: number): string | null {
  const found = states.get(key, revision);
  return found === undefined ? null : `${Buffer.from(found.value)}`;
}

function isSame(a: Fields, b: Fields): boolean {
  return holdsIn(a, b) && holdsIn(b, a);
}

function isWrite({ action, endMs }: Operation): boolean {
  if (action.kind === 'get') return false;
  return endMs === Number.POSITIVE_INFINITY || !('done' in action) || action.done;
}

function isAcknowledged(operation: Operation): operation is Operation & { readonly revision: number } {
  return operation.revision !== undefined;
}

function valueAfter({ action }: Operation): string | null {
  return 'value' in action ? action.value : null;
}

function told(operation: Operation, what: string): string {
  return `${describeOperation(operation)}: but ${what}`;
}

function show(fields: Fields): string {
  return JSON.stringify(fields);
}
