import type { Condition, KeyRange, KeyValue, Revision } from '../contract/kv.ts';
import { alarmKey, encodeAlarm } from './alarms-table.ts';
import { changesUpTo, decodeChanges } from './change-log.ts';
import { type Command, deleteRangeLimits } from './command.ts';
import { Draft } from './draft.ts';
import { type TableKey, type TableRange, withoutPrefix } from './key-space.ts';
import { leasedKey, leaseKeysRange } from './lease-table.ts';
import { type CurrentRecord, recordBytes, toKeyValue } from './record.ts';
import type { CommandResult, Refusal } from './result.ts';
import type { Tables } from './tables.ts';

/**
 * What a command has to read that LevelDB gives only asynchronously; `visit` says false when it has seen enough. Or a `turn`:
 * what has arrived is to be handled before a long piece of work goes on.
 */
export type ScanQuestion =
  | { readonly kind: 'turn' }
  | {
      readonly kind: 'versions';
      readonly range: KeyRange;
      /** Undefined: the present, with what the command itself has changed. */
      readonly revision: Revision | undefined;
      readonly visit: (key: Buffer, record: CurrentRecord) => boolean;
    }
  | {
      readonly kind: 'table';
      readonly range: TableRange;
      readonly reverse: boolean;
      readonly visit: (key: Buffer, record: Buffer) => boolean;
    };

/** Yields what it has to read, changes a draft, and returns what it says. The draft is committed by the caller. */
export type Applying = Generator<ScanQuestion, CommandResult, void>;

/** What the log says beside the command. */
export interface EntryContext {
  readonly term: number;
}

type CommandOf<Kind extends Command['kind']> = Extract<Command, { kind: Kind }>;

/** A put is always a revision of its own, even with the value that was there. */
export function applyPut(tables: Tables, command: CommandOf<'put'>): CommandResult {
  const draft = new Draft(tables);
  const key = draft.key(command.key);
  const old = draft.current(key);
  if (!holds(command.condition, old)) return conditionFailed(tables, old);
  const content = contentOf(draft, command, old);
  if (typeof content === 'string') return refused(tables, content);
  const needed = tables.usedBytes + recordBytes(command.key.length, content.value.length);
  if (isOverQuota(tables, needed)) return refuseForSpace(tables);

  const record = draft.put(key, content, old);
  draft.commit();
  const { createRevision, modRevision, version } = record;
  const previous = command.previous && old !== undefined ? kvOf(key, old) : undefined;
  return { kind: 'put', revision: modRevision, created: old === undefined, createRevision, version, previous };
}

/** Deleting what is not there changes nothing, the revision neither (as etcd). */
export function applyDelete(tables: Tables, command: CommandOf<'delete'>): CommandResult {
  const draft = new Draft(tables);
  const key = draft.key(command.key);
  const old = draft.current(key);
  if (!holds(command.condition, old)) return conditionFailed(tables, old);
  if (old === undefined) return { kind: 'delete', revision: tables.state.revision, deleted: 0, previous: undefined };

  draft.delete(key, old);
  draft.commit();
  const previous = command.previous && old !== undefined ? kvOf(key, old) : undefined;
  return { kind: 'delete', revision: tables.state.revision, deleted: 1, previous };
}

/** Of a member that is not known there is nothing to tell: it was removed, or never added. */
export function applyPublish(tables: Tables, command: CommandOf<'publish'>): CommandResult {
  const { name, clientUrls, version } = command;
  const known = tables.members.find(command.memberId);
  if (known !== undefined) tables.members.update({ ...known, name, clientUrls, version });
  return done(tables);
}

export function applyLeaseGrant(tables: Tables, { id, ttl }: CommandOf<'leaseGrant'>): CommandResult {
  if (tables.leases.has(id)) return refused(tables, 'lease_exists');
  if (isOverQuota(tables, tables.usedBytes + 1)) return refuseForSpace(tables);
  const draft = new Draft(tables);
  draft.setLease({ id, ttl, remaining: undefined });
  draft.commit();
  return { kind: 'leaseGranted', revision: tables.state.revision, id, ttl };
}

/** A leader that was deposed may not say what time is left: it did not hear of renewals since. */
export function applyLeaseCheckpoint(
  tables: Tables,
  { term, leases }: CommandOf<'leaseCheckpoint'>,
  context: EntryContext,
): CommandResult {
  if (term !== context.term) return done(tables);
  const draft = new Draft(tables);
  for (const { id, remaining } of leases) {
    const lease = tables.leases.get(id);
    if (lease !== undefined) draft.setLease({ ...lease, remaining });
  }
  draft.commit();
  return done(tables);
}

export function applyQuota(tables: Tables, { bytes }: CommandOf<'quota'>): CommandResult {
  tables.state.quotaBytes = bytes;
  tables.state.noSpace = 0;
  return done(tables);
}

/** A member that differs from the others is known to all of them. */
export function applyAlarm(tables: Tables, { action, memberId, index, hash }: CommandOf<'alarm'>): CommandResult {
  const draft = new Draft(tables);
  const key = alarmKey(tables.keySpace, memberId);
  if (action === 'raise') {
    draft.write(key, encodeAlarm(key.bytes, { index, hash }));
    tables.corrupt.set(memberId, { index, hash });
  } else {
    draft.write(key, null);
    tables.corrupt.delete(memberId);
  }
  draft.commit();
  return done(tables);
}

/** All deletions take effect in one revision. */
export function* applyDeleteRange(draft: Draft, command: CommandOf<'deleteRange'>): Applying {
  const { keysMax = deleteRangeLimits.keysMax, bytesMax = deleteRangeLimits.bytesMax } = command;
  const { isTooLarge, deleted } = yield* deleteRange(draft, command.range, { keysMax, bytesMax });
  if (isTooLarge) return refused(draft.tables, 'range_too_large', [keysMax, bytesMax]);
  return { kind: 'delete', revision: draft.lastRevision, deleted: deleted.length, previous: undefined };
}

/** Lists first and deletes then, so that nothing is changed where there is too much. */
export function* deleteRange(
  draft: Draft,
  range: KeyRange,
  limits: { readonly keysMax: number; readonly bytesMax: number },
): Generator<ScanQuestion, { readonly isTooLarge: boolean; readonly deleted: readonly KeyValue[] }, void> {
  const found: { readonly key: TableKey; readonly record: CurrentRecord }[] = [];
  let bytes = 0;
  let isTooLarge = false;
  yield {
    kind: 'versions',
    range,
    revision: undefined,
    visit: (key, record) => {
      bytes += key.length + record.value.length;
      isTooLarge = found.length === limits.keysMax || bytes > limits.bytesMax;
      if (!isTooLarge) found.push({ key: draft.key(key), record });
      return !isTooLarge;
    },
  };
  if (isTooLarge) return { isTooLarge, deleted: [] };
  const deleted: KeyValue[] = [];
  for (const [i, { key, record }] of found.entries()) {
    if (i % deletionsPerTurn === deletionsPerTurn - 1) yield { kind: 'turn' };
    draft.delete(key, record);
    deleted.push(kvOf(key, record));
  }
  return { isTooLarge, deleted };
}

/** The lease and its keys go in one revision; without keys no revision changes. */
export function* applyLeaseRevoke(draft: Draft, { id }: CommandOf<'leaseRevoke'>): Applying {
  if (!draft.tables.leases.has(id)) return refused(draft.tables, 'lease_not_found');
  const deleted = yield* revokeLease(draft, id);
  return { kind: 'delete', revision: draft.lastRevision, deleted, previous: undefined };
}

/** As a revocation of each; but a leader that was deposed has no say any more (etcd#15247). */
export function* applyLeaseExpire(
  draft: Draft,
  { term, ids }: CommandOf<'leaseExpire'>,
  context: EntryContext,
): Applying {
  if (term !== context.term) return done(draft.tables);
  for (const id of ids) {
    if (!draft.tables.leases.has(id)) continue;
    yield* revokeLease(draft, id);
    draft.endRevision();
  }
  return { kind: 'done', revision: draft.lastRevision };
}

/** What was superseded at `revision` or before is forgotten at once; it is removed from the disk bit by bit. */
export function* applyCompact(draft: Draft, { revision }: CommandOf<'compact'>): Applying {
  const { tables } = draft;
  const { state } = tables;
  if (revision <= state.compactRevision) return refused(tables, 'compacted', [state.compactRevision]);
  if (revision > state.revision) return refused(tables, 'future_revision', [state.revision]);
  let historyBytes = 0;
  yield {
    kind: 'table',
    range: changesUpTo(tables.keySpace, revision),
    reverse: true,
    visit: (key, record) => {
      const chunk = decodeChanges(key, record);
      historyBytes = chunk.historyBytesBefore;
      for (const change of chunk.changes) if (change.revision <= revision) historyBytes += change.historyBytes;
      return false;
    },
  };
  tables.state.compactRevision = revision;
  tables.state.compactedBytes = historyBytes;
  return done(tables);
}

export function holds(condition: Condition | undefined, present: CurrentRecord | undefined): boolean {
  switch (condition?.kind) {
    case undefined:
      return true;
    case 'exists':
      return present !== undefined;
    case 'absent':
      return present === undefined;
    case 'modRevisionIn':
      return present !== undefined && condition.revisions.includes(present.modRevision);
  }
}

/** What a put writes; or why it cannot. */
export function contentOf(
  draft: Draft,
  put: Pick<CommandOf<'put'>, 'value' | 'lease' | 'keepsValue' | 'keepsLease'>,
  old: CurrentRecord | undefined,
): { readonly value: Uint8Array; readonly lease: CurrentRecord['lease'] } | Refusal {
  const { keepsValue = false, keepsLease = false } = put;
  const lease = keepsLease ? old?.lease : put.lease;
  if (lease !== undefined && !keepsLease && !draft.tables.leases.has(lease)) return 'lease_not_found';
  if ((keepsValue || keepsLease) && old === undefined) return 'key_not_found';
  return { value: keepsValue && old !== undefined ? old.value : put.value, lease };
}

/** Deletions and compaction are never refused: they are what makes space. */
export function isOverQuota(tables: Tables, usedBytes: number): boolean {
  const { quotaBytes } = tables.state;
  return quotaBytes > 0 && usedBytes > quotaBytes;
}

export function refuseForSpace(tables: Tables): CommandResult {
  tables.state.noSpace = 1;
  return refused(tables, 'no_space', [tables.usedBytes, tables.state.quotaBytes]);
}

export function refused(tables: Tables, refusal: Refusal, figures: readonly number[] = []): CommandResult {
  return { kind: 'refused', revision: tables.state.revision, refusal, figures };
}

export function done(tables: Tables): CommandResult {
  return { kind: 'done', revision: tables.state.revision };
}

function* revokeLease(draft: Draft, id: bigint): Generator<ScanQuestion, number, void> {
  const keys: TableKey[] = [];
  yield {
    kind: 'table',
    range: leaseKeysRange(draft.tables.keySpace, id),
    reverse: false,
    visit: (key) => {
      keys.push(draft.key(leasedKey(key)));
      return true;
    },
  };
  for (const [i, key] of keys.entries()) {
    if (i % deletionsPerTurn === deletionsPerTurn - 1) yield { kind: 'turn' };
    const old = draft.current(key);
    if (old !== undefined) draft.delete(key, old);
  }
  draft.deleteLease(id);
  return keys.length;
}

function conditionFailed(tables: Tables, present: CurrentRecord | undefined): CommandResult {
  return { kind: 'conditionFailed', revision: tables.state.revision, modRevision: present?.modRevision };
}

export function kvOf(key: TableKey, record: CurrentRecord): KeyValue {
  return toKeyValue(withoutPrefix(key.bytes), record);
}

/** A few ms, if the values are of ordinary size. */
const deletionsPerTurn = 256;
