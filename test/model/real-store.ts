import { ManualClock } from '../../src/base/testing/manual-clock.ts';
import { BalsaError } from '../../src/contract/errors.ts';
import type { RangeRequest, Revision } from '../../src/contract/kv.ts';
import type { WatchRequest } from '../../src/contract/watch.ts';
import type { Database } from '../../src/mvcc/database.ts';
import { type Command, type CommandResult, encodeCommand, openStore, type Store } from '../../src/mvcc/index.ts';
import { checkKept, checkKey, checkRange, checkTxn } from '../../src/replica/check-txn.ts';
import { compacted, futureRevision, refusalError } from '../../src/replica/refusal-error.ts';
import { Observer } from './observer.ts';
import type { Outcome, Write } from './outcome.ts';
import type { Step } from './random-history.ts';

const valueBytesMax = 1024 * 1024;
const term = 1;

/** The store itself, asked in the words of the model; what is checked before a command is proposed is checked here too. */
export class RealStore {
  readonly #database: Database;
  readonly #clock = new ManualClock();
  #store: Store;

  private constructor(database: Database, store: Store) {
    this.#database = database;
    this.#store = store;
  }

  static async open(database: Database): Promise<RealStore> {
    const real = new RealStore(database, undefined as unknown as Store);
    real.#store = await real.#open();
    return real;
  }

  get store(): Store {
    return this.#store;
  }

  /** Time passes, and with it flushes and the removal of what is compacted go on. */
  async pass(ms: number): Promise<void> {
    this.#clock.advance(ms);
    await settle();
  }

  flush(): Promise<void> {
    return this.#store.flush();
  }

  async restart(): Promise<void> {
    await this.close();
    this.#store = await this.#open();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async do(step: Step): Promise<Outcome> {
    try {
      switch (step.kind) {
        case 'write':
          return await this.#write(step.write, step.token);
        case 'get':
          return await this.#get(step.key, step.revision);
        case 'range':
          return await this.#range(step.request);
        case 'events':
          return await this.#events(step.request);
      }
    } catch (reason) {
      if (!(reason instanceof BalsaError)) throw reason;
      return outcomeOf(reason);
    }
  }

  #open(): Promise<Store> {
    return openStore({
      database: this.#database,
      groupId: 1,
      clock: this.#clock,
      bootstrapMembers: [],
      flushIntervalMs: 50,
      flushChangesMax: 100,
      flushBytesMax: 100_000,
    });
  }

  async #write(write: Write, token: string | undefined): Promise<Outcome> {
    const command = commandOf(write);
    const entry = encodeCommand(token === undefined ? command : { kind: 'once', token, command });
    const [result] = await this.#store.apply(this.#store.appliedIndex + 1, entry, { term });
    if (result === undefined) throw new Error('a command without a result');
    return outcomeOfWrite(write, result);
  }

  async #get(key: Uint8Array, revision: Revision | undefined): Promise<Outcome> {
    this.#checkRevision(revision);
    if (revision === undefined)
      return { kind: 'done', revision: this.#store.revision, kv: this.#store.get(key) } as Outcome;
    const view = this.#store.readView(revision);
    try {
      return { kind: 'done', revision: this.#store.revision, kv: await view.get(key) } as Outcome;
    } finally {
      await view.close();
    }
  }

  /** Both ways of listing have to say the same: a page in the order of keys, and any order. */
  async #range(request: RangeRequest): Promise<Outcome> {
    this.#checkRevision(request.revision);
    const view = this.#store.readView(request.revision);
    try {
      const { kvs, count, more } = await view.list(request, 1e9);
      if (request.sort === 'key' && !request.countOnly) {
        const { limit, keysOnly, order, bounds, range } = request;
        const page = await view.page(range, { limit, bytesMax: 1e9, keysOnly, reverse: order === 'desc', bounds });
        if (page.kvs.length !== kvs.length || (page.next !== undefined) !== more)
          throw new Error('a page is not the list');
      }
      if ((await view.count(request.range)) !== count) throw new Error('a count is not that of the list');
      return { kind: 'done', revision: this.#store.revision, kvs, count, more } as Outcome;
    } finally {
      await view.close();
    }
  }

  /** A watch that is opened, told everything, and closed. */
  async #events(request: WatchRequest): Promise<Outcome> {
    const observer = new Observer();
    const watch = this.#store.watch(request, observer);
    const isUpToDate = (): boolean => observer.error !== undefined || this.#store.watches.behind === 0;
    while (!isUpToDate()) await settle();
    watch.close();
    if (observer.error !== undefined) throw observer.error;
    const batches = observer.batches.map(({ revision, events }) => ({ revision, events }));
    return { kind: 'done', revision: this.#store.revision, batches } as Outcome;
  }

  #checkRevision(revision: Revision | undefined): void {
    if (revision === undefined) return;
    if (revision > this.#store.revision) throw futureRevision(this.#store.revision);
    if (revision < this.#store.compactRevision) throw compacted(this.#store.compactRevision);
  }
}

/** Lets everything that waits only for the event loop go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Throws a `BalsaError` where the service refuses it before it is proposed. */
export function commandOf(write: Write): Exclude<Command, { kind: 'once' }> {
  switch (write.kind) {
    case 'put':
      checkKey(write.key);
      checkKept(write);
      return write;
    case 'delete':
      checkKey(write.key);
      return write;
    case 'deleteRange':
      checkRange(write.range);
      return write;
    case 'txn':
      checkTxn(write.txn, valueBytesMax);
      return write;
    case 'leaseCheckpoint':
      return { kind: 'leaseCheckpoint', term, leases: [{ id: write.id, remaining: write.remaining }] };
    default:
      return write;
  }
}

export function outcomeOfWrite(write: Write, result: CommandResult): Outcome {
  switch (result.kind) {
    case 'refused':
      return outcomeOf(refusalError(result));
    case 'conditionFailed':
      return { kind: 'precondition_failed', modRevision: result.modRevision };
    case 'put': {
      const { kind: _, ...answer } = result;
      return { ...answer, kind: 'done', modRevision: result.revision } as Outcome;
    }
    case 'delete': {
      const { revision, deleted, previous } = result;
      const done = { kind: 'done', revision, deleted } as const;
      return (write.kind === 'leaseRevoke' ? done : { ...done, previous }) as Outcome;
    }
    case 'txn': {
      const { revision, succeeded, results } = result;
      return { kind: 'done', revision, succeeded, results } as Outcome;
    }
    case 'leaseGranted':
    case 'done':
      return { kind: 'done', revision: result.revision } as Outcome;
  }
}

/** A command of the log in the words of the model; undefined for those that it knows nothing of. */
export function writeOf(command: Command): Write | undefined {
  switch (command.kind) {
    case 'put':
    case 'delete':
    case 'deleteRange':
    case 'txn':
    case 'leaseGrant':
    case 'leaseRevoke':
    case 'compact':
      return command;
    default:
      return undefined;
  }
}

/** The code, and what the model tells of it. */
function outcomeOf({ code, extras }: BalsaError): Outcome {
  if (code === 'compacted') return { kind: code, compactRevision: extras['compactRevision'] as number };
  return { kind: code } as Outcome;
}
