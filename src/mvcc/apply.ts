import type { Condition, KeyValue, Revision } from '../contract/kv.ts';
import type { Command } from './command.ts';
import type { CurrentTable } from './current-table.ts';
import { type TableKey, withoutPrefix } from './key-space.ts';
import type { MembersTable } from './members-table.ts';
import { type CurrentRecord, toKeyValue } from './record.ts';
import type { CommandResult } from './result.ts';

/**
 * All that applying may see: no clock, no chance, no configuration, nothing of this member's own, so that every member
 * comes to the same state. Each function below reads and decides first, and changes something only when nothing can
 * throw any more.
 */
export interface Tables {
  readonly current: CurrentTable;
  readonly members: MembersTable;
  revision: Revision;
  keyCount: number;
}

type CommandOf<Kind extends Command['kind']> = Extract<Command, { kind: Kind }>;

/** A put is always a revision of its own, even with the value that was there. */
export function applyPut(tables: Tables, command: CommandOf<'put'>): CommandResult {
  const key = tables.current.key(command.key);
  const old = tables.current.get(key);
  if (!holds(command.condition, old)) return conditionFailed(tables, old);

  const revision = tables.revision + 1;
  const createRevision = old?.createRevision ?? revision;
  const version = (old?.version ?? 0) + 1;
  tables.current.put(key, { createRevision, modRevision: revision, version, value: command.value });
  tables.revision = revision;
  if (old === undefined) tables.keyCount++;
  const previous = command.previous ? previousOf(key, old) : undefined;
  return { kind: 'put', revision, created: old === undefined, createRevision, version, previous };
}

/** Deleting what is not there changes nothing, the revision neither (as etcd). */
export function applyDelete(tables: Tables, command: CommandOf<'delete'>): CommandResult {
  const key = tables.current.key(command.key);
  const old = tables.current.get(key);
  if (!holds(command.condition, old)) return conditionFailed(tables, old);
  if (old === undefined) return { kind: 'delete', revision: tables.revision, deleted: 0, previous: undefined };

  tables.current.delete(key);
  tables.revision++;
  tables.keyCount--;
  const previous = command.previous ? previousOf(key, old) : undefined;
  return { kind: 'delete', revision: tables.revision, deleted: 1, previous };
}

/** Of a member that is not known there is nothing to tell: it was removed, or never added. */
export function applyPublish(tables: Tables, command: CommandOf<'publish'>): CommandResult {
  const { name, clientUrls, version } = command;
  const known = tables.members.find(command.memberId);
  if (known !== undefined) tables.members.update({ ...known, name, clientUrls, version });
  return { kind: 'published', revision: tables.revision };
}

function holds(condition: Condition | undefined, present: CurrentRecord | undefined): boolean {
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

function conditionFailed(tables: Tables, present: CurrentRecord | undefined): CommandResult {
  return { kind: 'conditionFailed', revision: tables.revision, modRevision: present?.modRevision };
}

function previousOf(key: TableKey, old: CurrentRecord | undefined): KeyValue | undefined {
  return old === undefined ? undefined : toKeyValue(withoutPrefix(key.bytes), old);
}
