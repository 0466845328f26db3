import assert from 'node:assert/strict';
import { ManualClock } from '../../base/testing/manual-clock.ts';
import type { KeyRange, KeyValue } from '../../contract/kv.ts';
import { type Command, encodeCommand } from '../command.ts';
import type { Database } from '../database.ts';
import type { MemberRecord } from '../member-record.ts';
import { openStore } from '../open-store.ts';
import type { CommandResult } from '../result.ts';
import type { ReadView, Store, StoreOptions } from '../store.ts';

export const members: readonly MemberRecord[] = ['a1', 'b2', 'c3'].map((id) => ({
  id,
  name: `node-${id}`,
  peerUrls: [`http://${id}:2380`],
  clientUrls: [],
  version: '',
}));

export const everything: KeyRange = { start: new Uint8Array(), end: undefined };

export interface TestStore {
  readonly store: Store;
  readonly clock: ManualClock;
  /** Applies it as the next entry. */
  apply(command: Command): Promise<CommandResult>;
}

/** A store that flushes only when the test says so, by `flush` or by moving the clock. */
export async function openTestStore(database: Database, options: Partial<StoreOptions> = {}): Promise<TestStore> {
  const clock = new ManualClock();
  const store = await openStore({
    database,
    groupId: 0,
    clock,
    bootstrapMembers: members,
    flushIntervalMs: 50,
    flushChangesMax: 4096,
    flushBytesMax: 4 * 1024 * 1024,
    ...options,
  });
  const apply = async (command: Command): Promise<CommandResult> => {
    const [result] = await store.apply(store.appliedIndex + 1, encodeCommand(command), { term: 1 });
    return result ?? assert.fail('a command without a result');
  };
  return { store, clock, apply };
}

export function put(key: string | Uint8Array, value: string | Uint8Array = ''): Command {
  return { kind: 'put', key: bytes(key), value: bytes(value), condition: undefined, previous: false };
}

export function remove(key: string | Uint8Array): Command {
  return { kind: 'delete', key: bytes(key), condition: undefined, previous: false };
}

export function removeRange(start: string, end?: string): Command {
  return { kind: 'deleteRange', range: { start: bytes(start), end: end === undefined ? undefined : bytes(end) } };
}

/** Strings are latin1: one character is one byte of the key. */
export function bytes(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
}

/** `key=value create/mod/version` a line: what a view or a page holds, to be compared and read. */
export function describeKvs(kvs: readonly KeyValue[]): readonly string[] {
  return kvs.map(describeKv);
}

export function describeKv(kv: KeyValue): string {
  const text = (part: Uint8Array): string => Buffer.from(part).toString('latin1');
  return `${text(kv.key)}=${text(kv.value)} ${kv.createRevision}/${kv.modRevision}/${kv.version}`;
}

/** All of a range, in pages of the given size. */
export async function readAll(view: ReadView, range = everything, limit = 0): Promise<readonly string[]> {
  const kvs: KeyValue[] = [];
  for (let start: Uint8Array | undefined = range.start; start !== undefined; ) {
    const page = await view.page({ start, end: range.end }, { limit, bytesMax: 1024 * 1024, keysOnly: false });
    kvs.push(...page.kvs);
    start = page.next;
  }
  return describeKvs(kvs);
}

/** Everything that the store shows of its state machine. */
export async function describeStore(store: Store): Promise<unknown> {
  const view = store.readView();
  try {
    const { revision, keyCount, members } = store;
    return { revision, keyCount, members, kvs: await readAll(view) };
  } finally {
    await view.close();
  }
}
