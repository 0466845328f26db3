import { assert, InvariantViolation } from '../base/assert.ts';
import type { KeyRange, KeyValue, Revision } from '../contract/kv.ts';
import type { LeaseId, LeaseRecord } from '../contract/lease.ts';
import type { WatchRequest } from '../contract/watch.ts';
import type { EntryContext, ScanQuestion } from './apply.ts';
import { applyAtOnce, applySlowly, isSlow } from './apply-command.ts';
import { breathe } from './breathe.ts';
import { MalformedBytes } from './byte-layout.ts';
import { type Command, decodeCommands, encodeCommand } from './command.ts';
import { DamagedValue } from './damaged-value.ts';
import { Draft } from './draft.ts';
import { KeyFilter } from './key-filter.ts';
import { type KeySpace, withoutPrefix } from './key-space.ts';
import { Layer } from './layer.ts';
import { leasedKey, leaseKeysRange } from './lease-table.ts';
import type { MemberRecord } from './member-record.ts';
import { MembersTable } from './members-table.ts';
import { MergedScan, type Moment } from './merged-scan.ts';
import { PageCache } from './page-cache.ts';
import { readPastChanges } from './past-changes.ts';
import { createReadView } from './read-view.ts';
import { decodeSoundRecord, toKeyValue } from './record.ts';
import { Remover } from './remover.ts';
import type { CommandResult } from './result.ts';
import { scrub } from './scrub.ts';
import type { ReadView, Store, StoreOptions } from './store.ts';
import { openExport, type StoreExport } from './store-export.ts';
import { encodeState, type StateHash, type StoreState, stateKey } from './store-state.ts';
import { Tables } from './tables.ts';
import { recall, remember } from './tokens-table.ts';
import { scanVersions } from './version-scan.ts';
import { pastLimits, type StoreWatch, WatchHub, type WatchSink } from './watch/hub.ts';
import type { PastChanges, PastLimits } from './watch/kept-past.ts';
import { WriteBuffer } from './write-buffer.ts';

/** What opening found in the database. */
export interface StoreContent {
  readonly keySpace: KeySpace;
  readonly state: StoreState;
  readonly members: readonly MemberRecord[];
  readonly clusterVersion: string;
  readonly removedMembers: readonly string[];
  readonly leases: readonly LeaseRecord[];
  readonly corruptMembers: readonly (readonly [memberId: string, expected: StateHash])[];
}

export function createStore(options: StoreOptions, content: StoreContent): Store {
  return new MvccStore(options, content);
}

const stateHashesMax = 16;
/** Below this share of the quota there is space again. */
const spaceAgain = 0.9;

class MvccStore implements Store {
  readonly #options: StoreOptions;
  readonly #keySpace: KeySpace;
  readonly #keyFilter: KeyFilter;
  readonly #buffer: WriteBuffer;
  readonly #tables: Tables;
  readonly #remover: Remover;
  readonly #pages: PageCache;
  readonly watches: WatchHub;
  /** A slow command is reading; everything behind it waits. */
  #isApplying = false;
  #applying: Promise<unknown> = Promise.resolve();
  #stateHashes: readonly StateHash[] = [];
  #openViews = 0;
  #openExports = 0;
  #closing: Promise<void> | undefined;

  constructor(
    options: StoreOptions,
    { keySpace, state, clusterVersion, members, removedMembers, leases, corruptMembers }: StoreContent,
  ) {
    this.#options = options;
    this.#keySpace = keySpace;
    const isOver = (): boolean => this.#closing !== undefined || !this.#buffer.isUsable;
    this.#keyFilter = new KeyFilter({
      database: options.database,
      clock: options.clock,
      keySpace,
      isEmpty: state.keyCount === 0,
      keyCount: () => this.keyCount,
      isOver,
      onFailure: (reason) => this.#onReadFailure(reason),
    });
    this.#buffer = new WriteBuffer({
      database: options.database,
      clock: options.clock,
      flushIntervalMs: options.flushIntervalMs,
      flushChangesMax: options.flushChangesMax,
      flushBytesMax: options.flushBytesMax,
      onFlushed: options.onFlushed,
      durableIndex: state.appliedIndex,
      stateRecord: () => this.#stateRecord(),
      keyFilter: this.#keyFilter,
    });
    this.#tables = new Tables(keySpace, this.#buffer, {
      members: new MembersTable(keySpace, this.#buffer, members, new Set(removedMembers)),
      leases: new Map(leases.map((lease) => [lease.id, lease])),
      corrupt: new Map(corruptMembers),
      state,
      clusterVersion,
    });
    this.#pages = new PageCache(state.revision);
    this.#remover = new Remover(this.#tables, () => this.#moment(), isOver);
    this.watches = new WatchHub(
      {
        revision: () => this.revision,
        compactRevision: () => this.compactRevision,
        readChanges: (from, range, limits) => this.#readChanges(from, range, limits),
        breathe: () => breathe(options.clock),
      },
      { ...pastLimits, changesMax: options.watchStepChanges ?? pastLimits.changesMax },
    );
    this.#removeForgotten();
  }

  get revision(): Revision {
    return this.#tables.state.revision;
  }

  get compactRevision(): Revision {
    return this.#tables.state.compactRevision;
  }

  get appliedIndex(): number {
    return this.#buffer.appliedIndex;
  }

  get durableIndex(): number {
    return this.#buffer.durableIndex;
  }

  get keyCount(): number {
    return this.#tables.state.keyCount;
  }

  get usedBytes(): number {
    return this.#tables.usedBytes;
  }

  get quotaBytes(): number {
    return this.#tables.state.quotaBytes;
  }

  get isFull(): boolean {
    return this.#tables.state.noSpace === 1;
  }

  get members(): readonly MemberRecord[] {
    return this.#tables.members.all;
  }

  get clusterVersion(): string {
    return this.#tables.clusterVersion;
  }

  get removedMembers(): ReadonlySet<string> {
    return this.#tables.members.removed;
  }

  get corruptMembers(): ReadonlyMap<string, StateHash> {
    return this.#tables.corrupt;
  }

  get leases(): ReadonlyMap<LeaseId, LeaseRecord> {
    return this.#tables.leases;
  }

  set onLeaseChange(listener: Store['onLeaseChange']) {
    this.#tables.onLeaseChange = listener;
  }

  get onLeaseChange(): Store['onLeaseChange'] {
    return this.#tables.onLeaseChange;
  }

  get stateHashes(): readonly StateHash[] {
    return this.#stateHashes;
  }

  get openViews(): number {
    return this.#openViews;
  }

  get openExports(): number {
    return this.#openExports;
  }

  get bufferedBytes(): number {
    return this.#buffer.bytes;
  }

  get failed(): Promise<never> {
    return this.#buffer.failed;
  }

  apply(index: number, commands: undefined): undefined;
  apply(
    index: number,
    commands: Uint8Array,
    context: EntryContext,
  ): readonly CommandResult[] | Promise<readonly CommandResult[]>;
  apply(
    index: number,
    commands: Uint8Array | undefined,
    context?: EntryContext,
  ): readonly CommandResult[] | Promise<readonly CommandResult[]> | undefined {
    this.#assertUsable();
    assert(!this.#isApplying, 'an entry is applied while the one before still is');
    assert(index === this.appliedIndex + 1, () => `entry ${index} is applied after entry ${this.appliedIndex}`);
    if (commands === undefined || context === undefined) {
      assert(commands === undefined, 'commands need to know the term of their entry');
      this.#buffer.advance(index);
      return undefined;
    }

    const decoded = decodeCommitted(index, commands);
    if (isSlow(decoded[0])) {
      const applying = this.#applySlow(index, decoded[0], context);
      this.#applying = applying;
      return applying;
    }
    const { historyBytes } = this.#tables.state;
    const results = this.#applyAll(index, decoded, context);
    this.#endEntry(index, historyBytes);
    return results;
  }

  get(key: Uint8Array): KeyValue | undefined {
    this.#assertUsable();
    const tableKey = this.#keySpace.key('current', key);
    try {
      const bytes = this.#buffer.get(tableKey);
      if (bytes === undefined) return undefined;
      return toKeyValue(withoutPrefix(tableKey.bytes), decodeSoundRecord(tableKey.bytes, bytes));
    } catch (reason) {
      this.#onReadFailure(reason);
      throw reason;
    }
  }

  readView(revision: Revision = this.revision): ReadView {
    this.#assertUsable();
    assert(revision >= this.compactRevision && revision <= this.revision, 'a view of a revision that is not there');
    const moment = this.#moment();
    this.#openViews++;
    return createReadView({
      moment,
      keySpace: this.#keySpace,
      revision,
      isPresent: revision === this.revision,
      keyCount: this.keyCount,
      pages: this.#pages,
      onFailure: (reason) => this.#onReadFailure(reason),
      onClose: () => {
        this.#openViews--;
      },
    });
  }

  async openExport(): Promise<StoreExport> {
    this.#assertUsable();
    const { database, groupId } = this.#options;
    const opened = await openExport(database, groupId, {
      onFailure: (reason) => this.#onReadFailure(reason),
      onClose: () => {
        this.#openExports--;
      },
    });
    this.#openExports++;
    return opened;
  }

  watch(request: WatchRequest, sink: WatchSink): StoreWatch {
    this.#assertUsable();
    return this.watches.open(request, sink);
  }

  async leaseKeys(id: LeaseId): Promise<readonly Uint8Array[]> {
    this.#assertUsable();
    const moment = this.#moment();
    const keys: Uint8Array[] = [];
    const range = leaseKeysRange(this.#keySpace, id);
    try {
      await scanTable(moment, range, false, (key) => keys.push(leasedKey(key)) > 0);
    } finally {
      await moment.snapshot.close();
    }
    return keys;
  }

  flush(): Promise<void> {
    return this.#buffer.flush();
  }

  makeRoom(bytesMax: number): Promise<void> {
    return this.#buffer.makeRoom(bytesMax);
  }

  async scrub(options: { readonly pauseMs: number; readonly signal: AbortSignal }): Promise<number> {
    const { database, clock } = this.#options;
    try {
      return await scrub({ database, clock, keySpace: this.#keySpace, ...options });
    } catch (reason) {
      this.#onReadFailure(reason);
      throw reason;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    // Its failure is its caller's; here it only has to be over.
    await this.#applying.catch(() => {});
    await this.#remover.ended();
    await this.#keyFilter.ended();
    await this.#buffer.close();
  }

  #applyAll(index: number, commands: readonly Command[], context: EntryContext): readonly CommandResult[] {
    const results: CommandResult[] = [];
    try {
      for (const command of commands) results.push(this.#applyOne(index, command, context));
      return results;
    } catch (reason) {
      // On disk without its index, what is done of this entry would be done again after a restart.
      if (results.length > 0 || commands[0]?.kind === 'once') this.#buffer.poison(index, reason);
      throw reason;
    }
  }

  #applyOne(index: number, command: Command, context: EntryContext): CommandResult {
    const tables = this.#tables;
    if (command.kind === 'checkState') {
      this.#noteState(index);
      return { kind: 'done', revision: this.revision };
    }
    if (command.kind !== 'once') return applyAtOnce(tables, command, context);
    const encoded = encodeCommand(command.command);
    const first = recall(tables, command.token, encoded);
    if (first !== undefined) return first;
    const result = applyAtOnce(tables, command.command, context);
    const draft = new Draft(tables);
    remember(tables, draft, command.token, encoded, result);
    draft.commit();
    return result;
  }

  /** Reads see the state before until everything of the entry, its index too, takes effect without an await between. */
  async #applySlow(index: number, command: Command, context: EntryContext): Promise<readonly CommandResult[]> {
    this.#isApplying = true;
    const tables = this.#tables;
    const { historyBytes } = tables.state;
    const overlay = new Layer();
    const draft = new Draft(tables, overlay);
    const before = this.#moment();
    const moment = { ...before, layers: [...before.layers, overlay] };
    try {
      const inner = command.kind === 'once' ? command.command : command;
      const encoded = command.kind === 'once' ? encodeCommand(inner) : undefined;
      let result = encoded && command.kind === 'once' ? recall(tables, command.token, encoded) : undefined;
      if (result === undefined) {
        result = await this.#answerQuestions(moment, applySlowly(draft, inner, context));
        this.#buffer.assertUsable();
        if (result.kind !== 'refused') draft.commit();
        if (encoded !== undefined && command.kind === 'once') {
          const tokens = new Draft(tables);
          remember(tables, tokens, command.token, encoded, result);
          tokens.commit();
        }
      }
      this.#endEntry(index, historyBytes);
      return [result];
    } finally {
      this.#isApplying = false;
      await before.snapshot.close();
    }
  }

  async #answerQuestions(moment: Moment, applying: ReturnType<typeof applySlowly>): Promise<CommandResult> {
    for (;;) {
      const step = applying.next();
      if (step.done === true) return step.value;
      await this.#answer(moment, step.value);
    }
  }

  async #answer(moment: Moment, question: ScanQuestion): Promise<void> {
    if (question.kind === 'turn') return breathe(this.#options.clock);
    if (question.kind === 'table') {
      await scanTable(moment, question.range, question.reverse, question.visit);
      return;
    }
    const { range, revision, visit } = question;
    const options = {
      keySpace: this.#keySpace,
      range,
      revision,
      reverse: false,
      entriesWanted: Number.POSITIVE_INFINITY,
    };
    await scanVersions(moment, options, visit);
  }

  #endEntry(index: number, historyBytesBefore: number): void {
    const tables = this.#tables;
    if (tables.state.noSpace === 1 && tables.usedBytes < spaceAgain * tables.state.quotaBytes) {
      tables.state.noSpace = 0;
    }
    const revisions = tables.endEntry(historyBytesBefore);
    this.#buffer.advance(index);
    this.#pages.onChanges(revisions);
    this.watches.publish(revisions);
    if (tables.state.compactRevision === tables.state.removedRevision) return;
    this.watches.onCompacted();
    this.#removeForgotten();
  }

  #removeForgotten(): void {
    this.#remover.wake((reason) => this.#buffer.poison(this.appliedIndex, reason));
  }

  /** A damaged record is not only its reader's concern: the member has to take its data anew. */
  #onReadFailure(reason: unknown): void {
    if (reason instanceof DamagedValue) this.#buffer.distrust(reason);
  }

  #noteState(index: number): void {
    this.#stateHashes = [...this.#stateHashes, { index, hash: this.#tables.state.hash }].slice(-stateHashesMax);
  }

  async #readChanges(from: Revision, range: KeyRange, limits: PastLimits): Promise<PastChanges> {
    this.#assertUsable();
    const moment = this.#moment();
    const { revision, compactRevision } = this;
    try {
      const options = { keySpace: this.#keySpace, from, range, revision, compactRevision, limits };
      return await readPastChanges(moment, options);
    } catch (reason) {
      this.#onReadFailure(reason);
      throw reason;
    } finally {
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
    return { key, record: encodeState(key.bytes, { ...this.#tables.state, appliedIndex: this.appliedIndex }) };
  }

  #assertUsable(): void {
    this.#buffer.assertUsable();
    assert(this.#closing === undefined, 'the store is closed');
  }
}

async function scanTable(
  moment: Moment,
  range: ReturnType<KeySpace['range']>,
  reverse: boolean,
  visit: (key: Buffer, record: Buffer) => boolean,
): Promise<void> {
  const entriesWanted = reverse ? 1 : Number.POSITIVE_INFINITY;
  const scan = new MergedScan(moment, { range, reverse, records: true, entriesWanted });
  try {
    for (let slice = await scan.next(); slice.length > 0; slice = await scan.next()) {
      for (const { key, record } of slice) if (!visit(key, record)) return;
    }
  } finally {
    await scan.close();
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
