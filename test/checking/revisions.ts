import { describeOperation, type Operation } from './history.ts';

/** What is wrong, with the operations that show it. */
export interface RevisionFinding {
  readonly what: string;
  readonly operations: readonly Operation[];
}

/**
 * Checks a history of any length in the order of the revisions that the server told: a revision is one write, later
 * writes have higher ones, and a get sees the newest write up to its own revision. Much faster than the search for a
 * linearization, and weaker: it believes the server's count. Only operations that carry a revision take part, but for
 * writes of unknown outcome, which explain what they may.
 */
export function checkRevisions(history: readonly Operation[]): RevisionFinding | undefined {
  return checkUnique(history) ?? checkRealTime(history) ?? checkValues(history);
}

export function describeFinding({ what, operations }: RevisionFinding): string {
  return [
    what,
    ...operations.map((operation) => `  revision ${operation.revision}: ${describeOperation(operation)}`),
  ].join('\n');
}

function checkUnique(history: readonly Operation[]): RevisionFinding | undefined {
  const writes = new Map<number, Operation>();
  for (const operation of history) {
    if (!isEffectiveWrite(operation)) continue;
    const other = writes.get(operation.revision);
    if (other !== undefined) return { what: 'Two writes were told the same revision.', operations: [other, operation] };
    writes.set(operation.revision, operation);
  }
  return undefined;
}

/** Whatever ended before an operation began has a lower revision than a write, and no higher one than a get. */
function checkRealTime(history: readonly Operation[]): RevisionFinding | undefined {
  const counted = history.filter(isCounted);
  const byEnd = counted.toSorted((a, b) => a.endMs - b.endMs);
  let newest: Counted | undefined;
  let ended = 0;
  for (const operation of counted.toSorted((a, b) => a.startMs - b.startMs)) {
    for (let next = byEnd[ended]; next !== undefined && next.endMs < operation.startMs; next = byEnd[++ended]) {
      if (newest === undefined || next.revision > newest.revision) newest = next;
    }
    if (newest === undefined) continue;
    const isBehind = operation.revision < newest.revision;
    const isRepeated = operation.revision === newest.revision && isEffectiveWrite(operation);
    if (!isBehind && !isRepeated) continue;
    return { what: 'A revision is older than one that was told before.', operations: [newest, operation] };
  }
  return undefined;
}

function checkValues(history: readonly Operation[]): RevisionFinding | undefined {
  const keys = new Map<string, Operation[]>();
  for (const operation of history) {
    // A group of keys is held against the event log instead.
    if (operation.action.kind === 'txn' || operation.action.kind === 'snapshot') continue;
    const others = keys.get(operation.key);
    if (others === undefined) keys.set(operation.key, [operation]);
    else others.push(operation);
  }
  for (const operations of keys.values()) {
    const finding = checkValuesOfKey(operations);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

function checkValuesOfKey(operations: readonly Operation[]): RevisionFinding | undefined {
  const writes = operations.filter(isEffectiveWrite).sort((a, b) => a.revision - b.revision);
  const unknown = operations.filter(({ endMs }) => endMs === Number.POSITIVE_INFINITY);
  const open = new Set(unknown.map(valueAfter));
  for (const operation of operations) {
    if (operation.action.kind !== 'get' || !isCounted(operation)) continue;
    const newest = newestUpTo(writes, operation.revision);
    const { value } = operation.action;
    const expected = newest === undefined ? null : valueAfter(newest);
    if (value === expected || open.has(value)) continue;
    const told = writes.find((write) => valueAfter(write) === value && value !== null);
    const shown = [newest, told, operation].filter((one) => one !== undefined);
    return { what: 'A get was not told the newest value of its revision.', operations: shown };
  }
  return undefined;
}

type Counted = Operation & { readonly revision: number };

function isCounted(operation: Operation): operation is Counted {
  return operation.revision !== undefined && operation.endMs !== Number.POSITIVE_INFINITY;
}

function isEffectiveWrite(operation: Operation): operation is Counted {
  const { action } = operation;
  const isRead = action.kind === 'get' || action.kind === 'snapshot';
  return isCounted(operation) && !isRead && (!('done' in action) || action.done);
}

/** The value of the key once the write has taken effect. */
function valueAfter({ action }: Operation): string | null {
  return 'value' in action ? action.value : null;
}

function newestUpTo(writes: readonly Counted[], revision: number): Counted | undefined {
  let low = 0;
  let high = writes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((writes[middle] as Counted).revision <= revision) low = middle + 1;
    else high = middle;
  }
  return writes[low - 1];
}
