/**
 * What a client asked of one key, and what it was told. The values of a history are unique, so that a value names the
 * write it comes from and nothing that the server counts has to be trusted.
 */
export type Action =
  | { readonly kind: 'put'; readonly value: string }
  /** A put on condition that there is no such key; `done`: there was none. */
  | { readonly kind: 'create'; readonly value: string; readonly done: boolean }
  /** A put on condition that the key still has the value of a certain write; `done`: it had. */
  | { readonly kind: 'swap'; readonly expected: string; readonly value: string; readonly done: boolean }
  /** `done`: there was something to delete. */
  | { readonly kind: 'delete'; readonly done: boolean }
  /** `null`: there was no such key. */
  | { readonly kind: 'get'; readonly value: string | null }
  /**
   * Puts several keys on condition that certain keys have certain values; `done`: all had. The operation's `key` names
   * the group that they all belong to, whose state is one: see `groupState`.
   */
  | { readonly kind: 'txn'; readonly expected: Fields; readonly written: Fields; readonly done: boolean }
  /** All keys of a group, read at once. */
  | { readonly kind: 'snapshot'; readonly values: Fields };

/** Values by key; `null`, as no mention at all: there is no such key. */
export type Fields = Readonly<Record<string, string | null>>;

/** The keys of a group and their values as one state. */
export function groupState(fields: Fields): State {
  const present = Object.entries(fields).filter(([, value]) => value !== null);
  return present.length === 0 ? null : JSON.stringify(present.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function fieldsOf(state: State): Fields {
  return state === null ? {} : Object.fromEntries(JSON.parse(state) as [string, string][]);
}

/** One request of a client. One that was refused, so that it certainly had no effect, is no part of a history. */
export interface Operation {
  readonly client: number;
  readonly key: string;
  readonly action: Action;
  readonly startMs: number;
  /** Infinity if nobody knows the outcome: it took effect at any time since its start, or never. `done` says nothing then. */
  readonly endMs: number;
  /**
   * What the server counted: of a write that changed something the revision that it made, of a get the store's revision
   * when it was answered. Absent where nobody was told.
   */
  readonly revision?: number;
  /** Of a get that found something: the revision of the write that it saw. */
  readonly modRevision?: number;
}

/** The value of a key; `null` if there is no such key. */
export type State = string | null;

/**
 * What an operation makes of a state. `undefined`: from that state it could not have ended as it did. An operation
 * whose outcome is unknown need not take effect, so doing nothing is left out for it.
 */
export function stateAfter(state: State, { action, endMs }: Operation): State | undefined {
  const done = endMs === Number.POSITIVE_INFINITY ? true : 'done' in action && action.done;
  switch (action.kind) {
    case 'put':
      return action.value;
    case 'create':
      return conditional(state === null, done, state, action.value);
    case 'swap':
      return conditional(state === action.expected, done, state, action.value);
    case 'delete':
      return conditional(state !== null, done, state, null);
    case 'get':
      return state === action.value ? state : undefined;
    case 'txn': {
      const fields = fieldsOf(state);
      return conditional(holdsIn(fields, action.expected), done, state, groupState({ ...fields, ...action.written }));
    }
    case 'snapshot':
      return state === groupState(action.values) ? state : undefined;
  }
}

/** Whether all that was expected is so. */
export function holdsIn(fields: Fields, expected: Fields): boolean {
  return Object.entries(expected).every(([key, value]) => (fields[key] ?? null) === value);
}

function conditional(holds: boolean, done: boolean, before: State, after: State): State | undefined {
  if (holds !== done) return undefined;
  return done ? after : before;
}

/** `client 3: put a=x, 120.0 to 130.5 ms`: a line for people. */
export function describeOperation({ client, key, action, startMs, endMs }: Operation): string {
  const isKnown = endMs !== Number.POSITIVE_INFINITY;
  const time = isKnown ? `${startMs.toFixed(1)} to ${endMs.toFixed(1)} ms` : `from ${startMs.toFixed(1)} ms, unknown`;
  const outcome = isKnown && 'done' in action ? (action.done ? ', done' : ', condition failed') : '';
  return `client ${client}: ${describeAction(key, action)}${outcome}, ${time}`;
}

function describeAction(key: string, action: Action): string {
  switch (action.kind) {
    case 'put':
    case 'create':
      return `${action.kind} ${key}=${action.value}`;
    case 'swap':
      return `swap ${key} from ${action.expected} to ${action.value}`;
    case 'delete':
      return `delete ${key}`;
    case 'get':
      return `get ${key}, told ${action.value ?? 'that there is none'}`;
    case 'txn':
      return `txn ${key}: if ${describeFields(action.expected)} then ${describeFields(action.written)}`;
    case 'snapshot':
      return `snapshot ${key}, told ${describeFields(action.values)}`;
  }
}

function describeFields(fields: Fields): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${value ?? '-'}`)
    .join(' ');
}
