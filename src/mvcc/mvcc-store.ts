import { assert, InvariantViolation, unreachable } from '../base/assert.ts';
import type { KeyValue, Revision } from '../contract/kv.ts';
import { applyDelete, applyPublish, applyPut, type Tables } from './apply.ts';
import { applyDeletions, type DeleteRange, listDeletions } from './apply-delete-range.ts';
import { MalformedBytes } from './byte-layout.ts';
import { type Command, decodeCommands } from './command.ts';
import { CurrentTable } from './current-table.ts';
import { type KeySpace, withoutPrefix } from './key-space.ts';
import { MembersTable } from './members-table.ts';
import type { Moment } from './merged-scan.ts';
import { createReadView } from './read-view.ts';
import { toKeyValue } from './record.ts';
import type { CommandResult } from './result.ts';
import type { MemberRecord, ReadView, Store, StoreOptions } from './store.ts';
import { encodeState, type StoreState, stateKey } from './store-state.ts';
import { WriteBuffer } from './write-buffer.ts';

/** What opening found in the database. */
export interface StoreContent {
  readonly keySpace: KeySpace;
  readonly state: StoreState;
  readonly members: readonly MemberRecord[];
}

export function createStore(options: StoreOptions, content: StoreContent): Store {
  return new MvccStore(options, content);
}

class MvccStore implements Store {
  readonly #options: StoreOptions;
  readonly #keySpace: KeySpace;
  readonly #buffer: WriteBuffer;
  readonly #tables: Tables;
  /** The range deletion that is listing its keys; everything behind it waits. */
  #applying: Promise<readonly CommandResult[]> | undefined;
  #openViews = 0;
  #closing: Promise<void> | undefined;

  constructor(options: StoreOptions, { keySpace, state, members }: StoreContent) {
    this.#options = options;
    this.#keySpace = keySpace;
    this.#buffer = new WriteBuffer({
      database: options.database,
      clock: options.clock,
      flushIntervalMs: options.flushIntervalMs,
      flushChangesMax: options.flushChangesMax,
      flushBytesMax: options.flushBytesMax,
      durableIndex: state.appliedIndex,
      stateRecord: () => this.#stateRecord(),
    });
    this.#tables = {
      current: new CurrentTable(keySpace, this.#buffer),
      members: new MembersTable(keySpace, this.#buffer, members),
      revision: state.revision,
      keyCount: state.keyCount,
    };
  }

  get revision(): Revision {
    return this.#tables.revision;
  }

  get appliedIndex(): number {
    return this.#buffer.appliedIndex;
  }

  get durableIndex(): number {
    return this.#buffer.durableIndex;
  }

  get keyCount(): number {
    return this.#tables.keyCount;
  }

  get members(): readonly MemberRecord[] {
    return this.#tables.members.all;
  }

  get openViews(): number {
    return this.#openViews;
  }

  get bufferedBytes(): number {
    return this.#buffer.bytes;
  }

  get failed(): Promise<never> {
    return this.#buffer.failed;
  }

  apply(index: number, commands: undefined): undefined;
  apply(index: number, commands: Uint8Array): readonly CommandResult[] | Promise<readonly CommandResult[]>;
  apply(index: number, commands: Uint8Array | undefined): ReturnType<Store['apply']> | undefined {
    this.#assertUsable();
    assert(this.#applying === undefined, 'an entry is applied while the one before still is');
    assert(index === this.appliedIndex + 1, () => `entry ${index} is applied after entry ${this.appliedIndex}`);
    if (commands === undefined) {
      this.#buffer.advance(index);
      return undefined;
    }

    const decoded = decodeCommitted(index, commands);
    if (decoded[0].kind === 'deleteRange') {
      this.#applying = this.#applyDeleteRange(index, decoded[0]);
      return this.#applying;
    }
    const results = this.#applyAtOnce(index, decoded);
    this.#buffer.advance(index);
    return results;
  }

  get(key: Uint8Array): KeyValue | undefined {
    this.#assertUsable();
    const tableKey = this.#tables.current.key(key);
    const record = this.#tables.current.get(tableKey);
    return record === undefined ? undefined : toKeyValue(withoutPrefix(tableKey.bytes), record);
  }

  readView(): ReadView {
    this.#assertUsable();
    const moment = this.#moment();
    this.#openViews++;
    return createReadView({
      moment,
      keySpace: this.#keySpace,
      revision: this.revision,
      keyCount: this.keyCount,
      onClose: () => {
        this.#openViews--;
      },
    });
  }

  flush(): Promise<void> {
    return this.#buffer.flush();
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    // Its failure is its caller's; here it only has to be over.
    await this.#applying?.catch(() => {});
    await this.#buffer.close();
  }

  #applyAtOnce(index: number, commands: readonly Command[]): readonly CommandResult[] {
    const results: CommandResult[] = [];
    try {
      for (const command of commands) results.push(applyAtOnce(this.#tables, command));
      return results;
    } catch (reason) {
      // On disk without its index, what is done of this entry would be done again after a restart.
      if (results.length > 0) this.#buffer.poison(index, reason);
      throw reason;
    }
  }

  /** Reads see the state before until everything of the entry, its index too, takes effect without an await between. */
  async #applyDeleteRange(index: number, command: DeleteRange): Promise<readonly CommandResult[]> {
    const moment = this.#moment();
    try {
      const deletions = await listDeletions(moment, this.#keySpace, command);
      this.#buffer.assertUsable();
      const result = applyDeletions(this.#tables, this.#buffer, command, deletions);
      this.#buffer.advance(index);
      return [result];
    } finally {
      this.#applying = undefined;
      await moment.snapshot.close();
    }
  }

  /** Snapshot and layers belong together only if both are taken without anything in between. */
  #moment(): Moment {
    const { database, clock } = this.#options;
    return { database, snapshot: database.snapshot(), layers: this.#buffer.freeze(), clock };
  }

  #stateRecord(): ReturnType<ConstructorParameters<typeof WriteBuffer>[0]['stateRecord']> {
    const key = stateKey(this.#keySpace);
    const { appliedIndex, revision, keyCount } = this;
    return { key, record: encodeState(key.bytes, { appliedIndex, revision, keyCount }) };
  }

  #assertUsable(): void {
    this.#buffer.assertUsable();
    assert(this.#closing === undefined, 'the store is closed');
  }
}

function applyAtOnce(tables: Tables, command: Command): CommandResult {
  switch (command.kind) {
    case 'put':
      return applyPut(tables, command);
    case 'delete':
      return applyDelete(tables, command);
    case 'publish':
      return applyPublish(tables, command);
    case 'deleteRange':
      throw new InvariantViolation('the deletion of a range has to list keys first');
    default:
      return unreachable(command);
  }
}

/** Commands are checked before they are proposed: one in the log that cannot be read is nobody's request gone wrong. */
function decodeCommitted(index: number, bytes: Uint8Array): ReturnType<typeof decodeCommands> {
  try {
    return decodeCommands(bytes);
  } catch (reason) {
    if (!(reason instanceof MalformedBytes)) throw reason;
    throw new InvariantViolation(`log entry ${index} cannot be applied: ${reason.message}`, { cause: reason });
  }
}
