import type { RangeRequest } from '../../../src/contract/kv.ts';
import type { LeaseId } from '../../../src/contract/lease.ts';
import { type Command, decodeCommands } from '../../../src/mvcc/command.ts';
import type { CommandResult } from '../../../src/mvcc/index.ts';
import type { LogIndex, MemberId, Term } from '../../../src/raft/index.ts';
import type { Outcome, Write } from '../../model/outcome.ts';
import { printable } from '../../model/printable.ts';
import { outcomeOfWrite, writeOf } from '../../model/real-store.ts';
import { StoreModel } from '../../model/store-model.ts';
import { Violation } from './violation.ts';

/** A list or a key that a client was told, to be compared when all revisions are known. */
export interface ToldList {
  readonly request: RangeRequest;
  readonly kvs: readonly unknown[];
  readonly count: number;
}

/**
 * Every committed command is done to a model too, once, when the first member applies it. What the members say of a
 * command has to be what the model says, on each of them and each time that it is applied again.
 */
export class ModelCheck {
  readonly model = new StoreModel();
  /** The same without compaction: it can still be asked for every revision there ever was. */
  readonly everything = new StoreModel();
  readonly #results = new Map<LogIndex, string>();
  readonly #lists: ToldList[] = [];
  /** When each lease ended first, in any way. */
  readonly leaseEndsMs = new Map<LeaseId, number>();
  #nextIndex: LogIndex = 1;

  /** Throws a `Violation`. */
  onApplied(
    member: MemberId,
    entry: { readonly index: LogIndex; readonly term: Term; readonly data: Uint8Array | undefined },
    results: readonly CommandResult[],
    nowMs: number,
  ): void {
    const { index, term, data } = entry;
    const told = printable(results);
    const before = this.#results.get(index);
    if (before !== undefined && before !== told) {
      throw new Violation('model', `${member} says ${told} of entry ${index}; before, it was ${before}`);
    }
    if (index !== this.#nextIndex) return;
    this.#nextIndex++;
    this.#results.set(index, told);
    if (data === undefined) return;
    const commands = decodeCommands(data);
    for (const [i, command] of commands.entries()) {
      const result = results[i];
      if (result === undefined) throw new Violation('model', `entry ${index} has no result for command ${i}`);
      this.#apply(command, term, result, index, nowMs);
    }
  }

  note(list: ToldList): void {
    this.#lists.push(list);
  }

  /** Every list that clients were told is what there was at its revision. */
  checkLists(): void {
    for (const { request, kvs, count } of this.#lists) {
      const outcome = this.everything.range(request);
      const expected = outcome.kind === 'done' ? { kvs: outcome.kvs, count: outcome.count } : outcome;
      if (printable({ kvs, count }) === printable(expected)) continue;
      throw new Violation(
        'model',
        `a list ${printable(request)} was\n${printable({ kvs, count })}, not\n${printable(expected)}`,
      );
    }
  }

  #apply(command: Command, term: Term, result: CommandResult, index: LogIndex, nowMs: number): void {
    if (command.kind === 'once') {
      this.#compare(writeOf(command.command), command.token, result, index, nowMs);
      return;
    }
    if (command.kind === 'leaseExpire') {
      if (command.term !== term) return;
      for (const id of command.ids) this.#do({ kind: 'leaseRevoke', id }, undefined, nowMs);
      return;
    }
    if (command.kind === 'leaseCheckpoint') {
      if (command.term !== term) return;
      for (const { id, remaining } of command.leases)
        this.#do({ kind: 'leaseCheckpoint', id, remaining }, undefined, nowMs);
      return;
    }
    const write = writeOf(command);
    if (write !== undefined) this.#compare(write, undefined, result, index, nowMs);
  }

  #compare(
    write: Write | undefined,
    token: string | undefined,
    result: CommandResult,
    index: LogIndex,
    nowMs: number,
  ): void {
    if (write === undefined) return;
    const expected = this.#do(write, token, nowMs);
    const found = outcomeOfWrite(write, result);
    if (printable({ ...found, reason: undefined }) === printable({ ...expected, reason: undefined })) return;
    const what = `entry ${index}, ${printable(write)}: the model says\n${printable(expected)}, the members\n${printable(found)}`;
    throw new Violation('model', what);
  }

  #do(write: Write, token: string | undefined, nowMs: number): Outcome {
    const outcome = this.model.apply(write, token);
    // One that asks for what is compacted does nothing, but would here.
    if (write.kind !== 'compact' && outcome.kind === 'done') this.everything.apply(write, token);
    if (write.kind === 'leaseRevoke' && outcome.kind === 'done' && !this.leaseEndsMs.has(write.id)) {
      this.leaseEndsMs.set(write.id, nowMs);
    }
    return outcome;
  }
}
