export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
  /** From 1; undefined where the side has no such line. */
  readonly oldNumber: number | undefined;
  readonly newNumber: number | undefined;
}

/** Changes beyond that are shown as one block: finding the shortest way would take quadratic time. */
const editsMax = 1500;

/** The lines of two texts, side by side in one list (Myers, "An O(ND) Difference Algorithm", 1986). */
export function diffLines(oldText: string, newText: string): DiffLine[] {
  const [before, after] = [oldText.split('\n'), newText.split('\n')];
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end++;
  }
  const middle = shortestEdit(before.slice(start, before.length - end), after.slice(start, after.length - end));
  const lines: DiffLine[] = [];
  let [oldNumber, newNumber] = [1, 1];
  const add = (kind: DiffLine['kind'], text: string): void => {
    lines.push({
      kind,
      text,
      oldNumber: kind === 'added' ? undefined : oldNumber++,
      newNumber: kind === 'removed' ? undefined : newNumber++,
    });
  };
  for (const text of before.slice(0, start)) add('same', text);
  for (const { kind, text } of middle) add(kind, text);
  for (const text of before.slice(before.length - end)) if (end > 0) add('same', text);
  return lines;
}

type Edit = Pick<DiffLine, 'kind' | 'text'>;

function shortestEdit(before: readonly string[], after: readonly string[]): Edit[] {
  const size = before.length + after.length;
  const reach = Math.min(size, editsMax);
  const furthest = new Int32Array(2 * reach + 3);
  const middle = reach + 1;
  /** What `furthest` was before each step, around the diagonals that it could reach. */
  const trace: Int32Array[] = [];
  for (let edits = 0; edits <= reach; edits++) {
    trace.push(furthest.slice(middle - edits - 1, middle + edits + 2));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const down = furthest[middle + diagonal + 1] ?? 0;
      const right = (furthest[middle + diagonal - 1] ?? 0) + 1;
      let x = diagonal === -edits || (diagonal !== edits && right - 1 < down) ? down : right;
      let y = x - diagonal;
      while (x < before.length && y < after.length && before[x] === after[y]) {
        x++;
        y++;
      }
      furthest[middle + diagonal] = x;
      if (x >= before.length && y >= after.length) return walkBack(trace, before, after);
    }
  }
  return [
    ...before.map((text): Edit => ({ kind: 'removed', text })),
    ...after.map((text): Edit => ({ kind: 'added', text })),
  ];
}

function walkBack(trace: readonly Int32Array[], before: readonly string[], after: readonly string[]): Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [before.length, after.length];
  for (let step = trace.length - 1; step >= 0; step--) {
    const reached = trace[step] as Int32Array;
    const at = (diagonal: number): number => reached[diagonal + step + 1] ?? 0;
    const diagonal = x - y;
    const isDown = diagonal === -step || (diagonal !== step && at(diagonal - 1) < at(diagonal + 1));
    const from = isDown ? diagonal + 1 : diagonal - 1;
    const fromX = step === 0 ? 0 : at(from);
    const fromY = step === 0 ? 0 : fromX - from;
    while (x > fromX && y > fromY) {
      edits.push({ kind: 'same', text: before[--x] as string });
      y--;
    }
    if (step === 0) break;
    if (isDown) edits.push({ kind: 'added', text: after[--y] as string });
    else edits.push({ kind: 'removed', text: before[--x] as string });
  }
  return edits.reverse();
}

/** Where two lines differ: what they have in common at both ends is left out. */
export function changedSpan(
  one: string,
  other: string,
): { readonly start: number; readonly oneEnd: number; readonly otherEnd: number } {
  const shorter = Math.min(one.length, other.length);
  let start = 0;
  while (start < shorter && one[start] === other[start]) start++;
  let end = 0;
  while (end < shorter - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end++;
  return { start, oneEnd: one.length - end, otherEnd: other.length - end };
}
