import type { Condition, KeyRange, KeyValue } from '../../contract/kv.ts';
import type { Command } from '../command.ts';
import type { CommandResult } from '../result.ts';
import { describeKvs, members } from './test-store.ts';

/** What a store must do, without buffer, disk or speed: a list of key-values that is sorted again with every change. */
export class NaiveStore {
  revision = 1;
  members = members;
  kvs: readonly KeyValue[] = [];

  apply(command: Command): CommandResult {
    switch (command.kind) {
      case 'put': {
        const old = this.find(command.key);
        if (!holds(command.condition, old)) return this.#conditionFailed(old);
        this.revision++;
        const createRevision = old?.createRevision ?? this.revision;
        const version = (old?.version ?? 0) + 1;
        const { key, value } = command;
        this.#remove((kv) => kv === old);
        this.kvs = [...this.kvs, { key, value, createRevision, modRevision: this.revision, version }];
        this.kvs = this.kvs.toSorted((a, b) => Buffer.compare(a.key, b.key));
        const created = old === undefined;
        const previous = command.previous ? old : undefined;
        return { kind: 'put', revision: this.revision, created, createRevision, version, previous };
      }
      case 'delete': {
        const old = this.find(command.key);
        if (!holds(command.condition, old)) return this.#conditionFailed(old);
        const deleted = this.#remove((kv) => kv === old);
        if (deleted > 0) this.revision++;
        return { kind: 'delete', revision: this.revision, deleted, previous: command.previous ? old : undefined };
      }
      case 'deleteRange': {
        const { keysMax = 1000, bytesMax = 1_000_000 } = command;
        const inside = this.range(command.range);
        const bytes = inside.reduce((sum, kv) => sum + kv.key.length + kv.value.length, 0);
        if (inside.length > keysMax || bytes > bytesMax) {
          return { kind: 'refused', revision: this.revision, refusal: 'range_too_large', figures: [keysMax, bytesMax] };
        }
        const deleted = this.#remove((kv) => inside.includes(kv));
        if (deleted > 0) this.revision++;
        return { kind: 'delete', revision: this.revision, deleted, previous: undefined };
      }
      case 'publish': {
        const { name, clientUrls, version } = command;
        this.members = this.members.map((member) =>
          member.id === command.memberId ? { ...member, name, clientUrls, version } : member,
        );
        return { kind: 'done', revision: this.revision };
      }
      default:
        throw new Error(`no ${command.kind} here: see test/model`);
    }
  }

  find(key: Uint8Array): KeyValue | undefined {
    return this.kvs.find((kv) => Buffer.compare(kv.key, key) === 0);
  }

  range({ start, end }: KeyRange): readonly KeyValue[] {
    return this.kvs.filter(
      ({ key }) => Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0),
    );
  }

  /** As `describeStore` of the real one. */
  describe(): unknown {
    const { revision, members } = this;
    return { revision, keyCount: this.kvs.length, members, kvs: describeKvs(this.kvs) };
  }

  #remove(which: (kv: KeyValue) => boolean): number {
    const kept = this.kvs.filter((kv) => !which(kv));
    const removed = this.kvs.length - kept.length;
    this.kvs = kept;
    return removed;
  }

  #conditionFailed(old: KeyValue | undefined): CommandResult {
    return { kind: 'conditionFailed', revision: this.revision, modRevision: old?.modRevision };
  }
}

function holds(condition: Condition | undefined, old: KeyValue | undefined): boolean {
  if (condition === undefined) return true;
  if (condition.kind === 'exists') return old !== undefined;
  if (condition.kind === 'absent') return old === undefined;
  return old !== undefined && condition.revisions.some((revision) => revision === old.modRevision);
}
