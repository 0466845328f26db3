import { describeOperation, type Operation, type State, stateAfter } from './history.ts';

export type Verdict =
  | { readonly linearizable: true }
  | {
      readonly linearizable: false;
      readonly key: string;
      /** The longest order that was found; after it none of the operations that are left can come next. */
      readonly order: readonly Operation[];
      readonly left: readonly Operation[];
    };

/**
 * Whether all operations can be put in one order, each between its start and its end, in which every answer is right.
 * A search, in which only the clients' clock and what they were told counts: Wing and Gong, "Testing and verifying
 * concurrent objects" (1993), with Lowe's cache of configurations, as Porcupine does it. Linearizability is local
 * (Herlihy and Wing, 1990), so each key is searched for itself.
 */
export function checkLinearizable(history: readonly Operation[]): Verdict {
  const byKey = new Map<string, Operation[]>();
  for (const operation of history) {
    const others = byKey.get(operation.key);
    if (others === undefined) byKey.set(operation.key, [operation]);
    else others.push(operation);
  }
  for (const operations of byKey.values()) {
    const verdict = new Search(operations).run();
    if (!verdict.linearizable) return verdict;
  }
  return { linearizable: true };
}

/** A few lines that show what cannot be. */
export function describeVerdict(verdict: Verdict): string {
  if (verdict.linearizable) return 'linearizable';
  const { key, order, left } = verdict;
  const last = order.slice(-5).map((operation) => `    ${describeOperation(operation)}`);
  const next = left.slice(0, 5).map((operation) => `    ${describeOperation(operation)}`);
  return [
    `The operations on ${key} are in no order that explains their answers.`,
    `  ${order.length} can be put in order; the last of them:`,
    ...last,
    '  None of these can come next:',
    ...next,
  ].join('\n');
}

/** A start or an end, in a doubly linked list by time. */
interface Node {
  readonly operation: number;
  /** `undefined` for an end. */
  readonly end: Node | 'never' | undefined;
  previous: Node | undefined;
  next: Node | undefined;
}

/** One operation of an order, and the state before it. */
interface Step {
  readonly start: Node;
  readonly before: State;
  readonly isChoice: boolean;
}

/** Writes of unknown outcome that explain the same: only how many of them are in the order matters, so the first come first. */
interface Alike {
  readonly members: readonly number[];
  used: number;
}

/** A place in the search: an order so far, and what may come next. */
interface Level {
  readonly state: State;
  readonly candidates: readonly Node[];
  /** Nothing that is left has an end. */
  readonly isComplete: boolean;
  tried: number;
}

class Search {
  /** By their start. */
  readonly #operations: readonly Operation[];
  /**
   * In which order to try: by the revisions that the server told. They decide nothing, every other order is tried too;
   * but an honest server's are right at the first try.
   */
  readonly #hints: readonly number[];
  /** For each operation of unknown outcome those that are alike. */
  readonly #alike = new Map<number, Alike>();
  readonly #kinds: readonly Alike[];
  readonly #head: Node = { operation: -1, end: undefined, previous: undefined, next: undefined };
  readonly #order: Step[] = [];
  readonly #isInOrder: Uint8Array;
  /** All operations before this one are in the order, but for those whose outcome is unknown. */
  #floor = 0;
  #highest = 0;
  /** Which operations are in the order, and the state after it: what lies behind that need not be searched twice. */
  readonly #seen = new Set<string>();
  #longest: readonly number[] = [];

  constructor(operations: readonly Operation[]) {
    this.#operations = withoutUnseenValues(operations).sort((a, b) => a.startMs - b.startMs);
    this.#hints = hintsFor(this.#operations);
    this.#kinds = this.#groupUnknown();
    this.#isInOrder = new Uint8Array(operations.length + 1);
    this.#link();
  }

  run(): Verdict {
    this.#takeIdle(null);
    const levels = [this.#levelAfter(null)];
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      // What is left has no end: it may never have taken effect.
      if (level.isComplete) return { linearizable: true };
      const next = level.candidates[level.tried++];
      if (next === undefined) {
        // Something before this was put there wrongly.
        if (this.#order.length > this.#longest.length) this.#longest = this.#order.map(({ start }) => start.operation);
        levels.pop();
        this.#takeBack();
        continue;
      }
      const after = this.#tryNext(next, level.state);
      if (after === undefined) continue;
      this.#takeIdle(after);
      levels.push(this.#levelAfter(after));
    }
    return this.#failure();
  }

  /** Whatever began before the first end of what is left may come next. */
  #levelAfter(state: State): Level {
    const candidates: Node[] = [];
    let node = this.#head.next;
    for (; node?.end !== undefined; node = node.next) candidates.push(node);
    candidates.sort((a, b) => this.#hint(a) - this.#hint(b));
    // What comes next by its revision cannot: then, as a rule, something took effect before that nobody was told of.
    const possible = candidates.findIndex(({ operation }) => this.#isPossible(state, operation));
    const first = candidates[0];
    if (possible > 0 && first !== undefined) {
      const at = this.#hint(first);
      const rank = (node: Node): number => (this.#hint(node) === at ? 0 : this.#hint(node) === noHint ? 1 : 2);
      candidates.sort((a, b) => rank(a) - rank(b));
    }
    return { state, candidates, isComplete: node === undefined, tried: 0 };
  }

  /**
   * Reads, and conditions that did not hold, that may come next and are right now do: wherever else they could come, they
   * could come here as well, since they change nothing. So these are no choices, and nothing else is tried in their place.
   */
  #takeIdle(state: State): void {
    let node = this.#head.next;
    while (node?.end !== undefined) {
      const operation = this.#operations[node.operation] as Operation;
      const following: Node | undefined = node.next === node.end ? node.next?.next : node.next;
      if (isIdle(operation) && stateAfter(state, operation) === state) {
        this.#append({ start: node, before: state, isChoice: false });
        node = following;
      } else {
        node = node.next;
      }
    }
  }

  /** Appends the operation to the order if its answer is right there and this was not tried before. */
  #tryNext(start: Node, before: State): State | undefined {
    const index = start.operation;
    const alike = this.#alike.get(index);
    if (alike !== undefined && alike.members[alike.used] !== index) return undefined;
    const after = stateAfter(before, this.#operations[index] as Operation);
    // What nobody was told, and changes nothing, explains nothing.
    if (after === undefined || (alike !== undefined && after === before)) return undefined;
    this.#isInOrder[index] = 1;
    if (alike !== undefined) alike.used++;
    const configuration = this.#configuration(index, after);
    this.#isInOrder[index] = 0;
    if (alike !== undefined) alike.used--;
    if (this.#seen.has(configuration)) return undefined;
    if (this.#seen.size === configurationsMax)
      throw new Error(`the history of ${this.#operations[0]?.key} is too entangled`);
    this.#seen.add(configuration);
    this.#append({ start, before, isChoice: true });
    return after;
  }

  #append(step: Step): void {
    const index = step.start.operation;
    lift(step.start);
    this.#order.push(step);
    this.#isInOrder[index] = 1;
    const alike = this.#alike.get(index);
    if (alike !== undefined) alike.used++;
    this.#highest = Math.max(this.#highest, index);
    while (this.#isInOrder[this.#floor] === 1 || this.#isUnknown(this.#floor)) this.#floor++;
  }

  /** Back to before the last choice; `undefined` if there was none. */
  #takeBack(): Step | undefined {
    for (let last = this.#order.pop(); last !== undefined; last = this.#order.pop()) {
      unlift(last.start);
      this.#isInOrder[last.start.operation] = 0;
      const alike = this.#alike.get(last.start.operation);
      if (alike !== undefined) alike.used--;
      this.#floor = Math.min(this.#floor, last.start.operation);
      if (last.isChoice) return last;
    }
    return undefined;
  }

  /** Short, because nearly everything lies below the floor or above the highest. */
  #configuration(next: number, state: State): string {
    let floor = this.#floor;
    while (this.#isInOrder[floor] === 1 || this.#isUnknown(floor)) floor++;
    let text = `${floor}`;
    for (let i = floor; i <= Math.max(this.#highest, next); i++) {
      if (this.#isInOrder[i] === 1 && !this.#isUnknown(i)) text += `,${i}`;
    }
    for (const { used } of this.#kinds) text += `;${used}`;
    return state === null ? text : `${text} =${state}`;
  }

  #groupUnknown(): readonly Alike[] {
    const kinds = new Map<string, number[]>();
    for (const [index, { action, endMs }] of this.#operations.entries()) {
      if (endMs !== Number.POSITIVE_INFINITY) continue;
      const kind = JSON.stringify(action);
      const others = kinds.get(kind);
      if (others === undefined) kinds.set(kind, [index]);
      else others.push(index);
    }
    const groups = [...kinds.values()].map((members): Alike => ({ members, used: 0 }));
    for (const group of groups) for (const index of group.members) this.#alike.set(index, group);
    return groups;
  }

  #isPossible(state: State, operation: number): boolean {
    return stateAfter(state, this.#operations[operation] as Operation) !== undefined;
  }

  #hint({ operation }: Node): number {
    return this.#hints[operation] ?? noHint;
  }

  #isUnknown(index: number): boolean {
    return this.#operations[index]?.endMs === Number.POSITIVE_INFINITY;
  }

  /** Starts before ends of the same moment: whoever shares a moment is concurrent. */
  #link(): void {
    const nodes = this.#operations.flatMap(({ startMs, endMs }, operation) => {
      if (endMs === Number.POSITIVE_INFINITY) return [{ atMs: startMs, node: newNode(operation, 'never') }];
      const end = newNode(operation, undefined);
      return [
        { atMs: startMs, node: newNode(operation, end) },
        { atMs: endMs, node: end },
      ];
    });
    nodes.sort((a, b) => a.atMs - b.atMs || Number(a.node.end === undefined) - Number(b.node.end === undefined));
    let last = this.#head;
    for (const { node } of nodes) {
      last.next = node;
      node.previous = last;
      last = node;
    }
  }

  #failure(): Verdict {
    const inOrder = new Set(this.#longest);
    const left = this.#operations.filter((_, i) => !inOrder.has(i));
    const order = this.#longest.map((i) => this.#operations[i] as Operation);
    return { linearizable: false, key: this.#operations[0]?.key ?? '', order, left };
  }
}

/** So many configurations fit into memory; honest histories need a few for each operation. */
const configurationsMax = 2_000_000;

/**
 * A value that was written with unknown outcome, and that nobody was told or asked for, is like any other such value:
 * all of them become one, or a search would try all their orders.
 */
function withoutUnseenValues(operations: readonly Operation[]): Operation[] {
  const seen = new Set<string | null>();
  for (const { action } of operations) {
    if (action.kind === 'get') seen.add(action.value);
    if (action.kind === 'swap') seen.add(action.expected);
  }
  return operations.map((operation) => {
    const { action, endMs } = operation;
    if (endMs !== Number.POSITIVE_INFINITY || !('value' in action) || action.kind === 'get') return operation;
    if (seen.has(action.value)) return operation;
    return { ...operation, action: { ...action, value: '\u0000unseen' } };
  });
}

const noHint = Number.MAX_SAFE_INTEGER;

/** It is known to have changed nothing. */
function isIdle({ action, endMs }: Operation): boolean {
  if (endMs === Number.POSITIVE_INFINITY) return false;
  return action.kind === 'get' || action.kind === 'snapshot' || ('done' in action && !action.done);
}

/** What nobody told a revision of comes last. */
function hintsFor(operations: readonly Operation[]): readonly number[] {
  const seen = new Map<string, number>();
  for (const { action, modRevision } of operations) {
    if (action.kind === 'get' && action.value !== null && modRevision !== undefined)
      seen.set(action.value, modRevision);
  }
  return operations.map(({ action, revision }) => {
    if (revision !== undefined) return revision;
    const value = 'value' in action ? action.value : null;
    return (value === null ? undefined : seen.get(value)) ?? noHint;
  });
}

function newNode(operation: number, end: Node | 'never' | undefined): Node {
  return { operation, end, previous: undefined, next: undefined };
}

/** Takes the start, and the end that belongs to it, out of the list. */
function lift(start: Node): void {
  unlink(start);
  if (start.end !== undefined && start.end !== 'never') unlink(start.end);
}

/** Puts both back to where they were: the nodes that left last come back first. */
function unlift(start: Node): void {
  if (start.end !== undefined && start.end !== 'never') relink(start.end);
  relink(start);
}

function unlink(node: Node): void {
  if (node.previous !== undefined) node.previous.next = node.next;
  if (node.next !== undefined) node.next.previous = node.previous;
}

function relink(node: Node): void {
  if (node.previous !== undefined) node.previous.next = node;
  if (node.next !== undefined) node.next.previous = node;
}
