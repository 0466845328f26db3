import type { Clock } from '../base/clock.ts';
import { BalsaError } from '../contract/errors.ts';
import { type CommandResult, needsOwnEntry } from '../mvcc/index.ts';
import type { Entry, LogIndex, MemberId, RaftCore, Term } from '../raft/index.ts';
import type { PeerAnswer } from '../transport/index.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import { decodeWriteAnswer, encodeWriteRequest, type WriteAnswer } from './forwarded-write.ts';
import type { ReplicaMetrics } from './metrics.ts';

/** A write that is done: what applying it said, and the term of its entry. */
export interface WriteDone {
  readonly term: Term;
  readonly result: CommandResult;
}

export interface WritesOptions {
  readonly core: Pick<RaftCore, 'role' | 'leader' | 'isTransferring' | 'propose'>;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly metrics: ReplicaMetrics;
  /** Writes under way on this member, whoever sent them; above it they are refused. */
  readonly pendingMax: number;
  readonly pendingBytesMax: number;
  /** Wakes the driver: its next turn calls `proposeCollected`. */
  readonly wake: () => void;
  readonly forward: (leader: MemberId, body: Uint8Array, timeoutMs: number) => Promise<PeerAnswer>;
}

/**
 * Where a write is on its way.
 *
 * - `waiting`: nobody has it; for a leader to appear or to take proposals again. Certainly not executed.
 * - `collected`: for this member's next turn, as the leader. Certainly not executed.
 * - `proposed`: in this member's log, see `Proposal`. Executed, replaced or still open: only the log knows.
 * - `forwarded`: with the leader.
 * - `ended`: its outcome has been told.
 */
type Progress = 'waiting' | 'collected' | 'proposed' | 'forwarded' | 'ended';

interface Write {
  readonly command: Uint8Array;
  readonly startedMs: number;
  readonly deadline: Deadline;
  /** From another member: answered with `not_leader` instead of being passed on once more. */
  readonly isForwarded: boolean;
  readonly settle: (answer: WriteAnswer) => void;
  progress: Progress;
}

/** An entry of this member's log, and the writes whose commands it holds, in order. */
interface Proposal {
  readonly term: Term;
  readonly writes: readonly Write[];
}

/**
 * Where the oldest write has waited that long behind so many others, a new one would wait as long: it is better told at
 * once. A few that wait for a slow disk, or for a leader to appear, are no queue.
 */
const queueAgeMaxMs = 1000;
const queueLengthMin = 256;

/**
 * Writes that come in one turn share log entries: what an entry costs on every member (a record on disk, checksums,
 * messages) is then shared too. Small enough that applying one does not hold up the event loop.
 */
const entryCommandsMax = 256;
const entryBytesMax = 64 * 1024;

/**
 * Every write from its arrival to its one outcome: done, refused (certainly not executed), or unknown. A write is only
 * ever sent again by Balsa itself when it is certain that it was not executed.
 */
export class Writes {
  readonly #options: WritesOptions;
  readonly #waiting = new Set<Write>();
  /** More than one at an index: this member led, lost its entry to another leader, and led again. */
  readonly #proposed = new Map<LogIndex, Proposal[]>();
  #collected: Write[] = [];
  /** All that have not ended, oldest first. */
  readonly #pending = new Set<Write>();
  #pendingBytes = 0;
  #closed: string | undefined;

  constructor(options: WritesOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#pending.size;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** For a client of this member. Rejects with a `BalsaError`. */
  submit(command: Uint8Array, timeoutMs: number): Promise<WriteDone> {
    return new Promise((resolve, reject) => {
      this.#accept(command, timeoutMs, false, (answer) => {
        if (answer.outcome === 'done') resolve(answer);
        else reject(answer.outcome === 'failed' ? answer.error : notExecuted());
      });
    });
  }

  /** For another member, which believes that this one leads. */
  submitForwarded(command: Uint8Array, timeoutMs: number): Promise<WriteAnswer> {
    return new Promise((resolve) => this.#accept(command, timeoutMs, true, resolve));
  }

  /** Hands the core everything collected since the last turn, as one proposal. */
  proposeCollected(): void {
    if (this.#collected.length === 0) return;
    const entries = shareEntries(this.#collected);
    this.#collected = [];
    const proposal = this.#options.core.propose(entries.map(entryData));
    if (proposal.accepted) {
      for (const [i, writes] of entries.entries()) {
        for (const write of writes) write.progress = 'proposed';
        this.#remember(proposal.firstIndex + i, { term: proposal.term, writes });
      }
      return;
    }
    for (const write of entries.flat()) {
      if (proposal.reason === 'uncommitted_limit') this.#fail(write, overloaded());
      else this.#wait(write);
    }
  }

  onApplied(entry: Entry, results: readonly CommandResult[]): void {
    const proposals = this.#proposed.get(entry.index);
    if (proposals === undefined) return;
    this.#proposed.delete(entry.index);
    for (const { term, writes } of proposals) {
      for (let i = 0; i < writes.length; i++) {
        const write = writes[i] as Write;
        const result = results[i];
        if (write.progress !== 'proposed') continue;
        // Where another leader's entry took the place in the log, this one can never be committed.
        if (term !== entry.term || result === undefined) this.#dispatch(write);
        else this.#settle(write, { outcome: 'done', term, result });
      }
    }
  }

  /** A leader may have appeared, or be ready to take proposals again. */
  retryWaiting(): void {
    if (this.#waiting.size === 0) return;
    const writes = [...this.#waiting];
    this.#waiting.clear();
    for (const write of writes) this.#dispatch(write);
  }

  /** Refuses what is not proposed yet and everything that comes; what is in the log may still end. */
  close(reason: string): void {
    this.#closed = reason;
    for (const write of [...this.#waiting, ...this.#collected]) this.#fail(write, stopped(reason));
    this.#waiting.clear();
    this.#collected = [];
  }

  #remember(index: LogIndex, proposal: Proposal): void {
    const earlier = this.#proposed.get(index);
    if (earlier === undefined) this.#proposed.set(index, [proposal]);
    else earlier.push(proposal);
  }

  #accept(command: Uint8Array, timeoutMs: number, isForwarded: boolean, settle: (answer: WriteAnswer) => void): void {
    const { clock, deadlines, pendingMax, pendingBytesMax } = this.#options;
    const startedMs = clock.monotonicMs();
    const write: Write = {
      command,
      startedMs,
      deadline: { atMs: startedMs + timeoutMs, onExpired: () => this.#expire(write) },
      isForwarded,
      settle,
      progress: 'waiting',
    };
    const isQueued = this.#isQueueOld(startedMs);
    this.#pending.add(write);
    this.#pendingBytes += command.length;
    deadlines.add(write.deadline);
    if (this.#closed !== undefined) this.#fail(write, stopped(this.#closed));
    else if (isQueued || this.#pending.size > pendingMax || this.#pendingBytes > pendingBytesMax)
      this.#fail(write, overloaded());
    else this.#dispatch(write);
  }

  #isQueueOld(nowMs: number): boolean {
    if (this.#pending.size < queueLengthMin || this.#options.core.leader === undefined) return false;
    const [oldest] = this.#pending;
    return oldest !== undefined && nowMs - oldest.startedMs > queueAgeMaxMs;
  }

  #dispatch(write: Write): void {
    const { core } = this.#options;
    if (this.#closed !== undefined) {
      this.#fail(write, stopped(this.#closed));
    } else if (core.role === 'leader' && !core.isTransferring) {
      write.progress = 'collected';
      this.#collected.push(write);
      this.#options.wake();
    } else if (write.isForwarded && core.role !== 'leader') {
      this.#settle(write, { outcome: 'not_executed' });
    } else if (core.role !== 'leader' && core.leader !== undefined) {
      void this.#forward(write, core.leader);
    } else {
      this.#wait(write);
    }
  }

  #wait(write: Write): void {
    write.progress = 'waiting';
    this.#waiting.add(write);
  }

  async #forward(write: Write, leader: MemberId): Promise<void> {
    write.progress = 'forwarded';
    const remainingMs = Math.max(1, write.deadline.atMs - this.#options.clock.monotonicMs());
    const answer = await this.#options.forward(leader, encodeWriteRequest(write.command, remainingMs), remainingMs);
    // The deadline came first and the client was told that the outcome is unknown.
    if (write.progress !== 'forwarded') return;
    if (answer.outcome === 'not_sent') {
      this.#waitOrRefuse(write);
      return;
    }
    if (answer.outcome === 'lost') {
      this.#fail(write, outcomeUnknown(`the connection to the leader failed: ${answer.reason}`));
      return;
    }
    const decoded = decodeWriteAnswer(answer.body);
    if (decoded === undefined) this.#fail(write, outcomeUnknown('the leader answered with something unreadable'));
    else if (decoded.outcome === 'not_executed') this.#waitOrRefuse(write);
    else this.#settle(write, decoded);
  }

  /** Dispatching again at once would spin while both members believe each other to lead. */
  #waitOrRefuse(write: Write): void {
    if (this.#closed !== undefined) this.#fail(write, stopped(this.#closed));
    else this.#wait(write);
  }

  #expire(write: Write): void {
    const { progress } = write;
    if (progress === 'proposed' || progress === 'forwarded') {
      this.#fail(write, outcomeUnknown('the cluster did not confirm it in time'));
      return;
    }
    if (progress === 'waiting') this.#waiting.delete(write);
    else this.#collected = this.#collected.filter((other) => other !== write);
    this.#fail(write, this.#options.core.leader === undefined ? noLeader() : timeout());
  }

  #fail(write: Write, error: BalsaError): void {
    this.#settle(write, { outcome: 'failed', error });
  }

  #settle(write: Write, answer: WriteAnswer): void {
    const { clock, deadlines, metrics } = this.#options;
    deadlines.remove(write.deadline);
    write.progress = 'ended';
    this.#pending.delete(write);
    this.#pendingBytes -= write.command.length;
    const unknown = answer.outcome === 'failed' && !answer.error.kind.definite;
    const outcome = answer.outcome === 'done' ? 'done' : unknown ? 'unknown' : 'refused';
    metrics.writeEnded(outcome, clock.monotonicMs() - write.startedMs);
    write.settle(answer);
  }
}

/** The writes in their order, those together that may share an entry. */
function shareEntries(writes: readonly Write[]): readonly (readonly Write[])[] {
  const entries: Write[][] = [];
  let entry: Write[] = [];
  let bytes = 0;
  let isFull = true;
  for (const write of writes) {
    const { command } = write;
    const isAlone = needsOwnEntry(command);
    if (isFull || isAlone || entry.length === entryCommandsMax || bytes + command.length > entryBytesMax) {
      entry = [];
      entries.push(entry);
      bytes = 0;
    }
    entry.push(write);
    bytes += command.length;
    isFull = isAlone;
  }
  return entries;
}

function entryData(writes: readonly Write[]): Uint8Array {
  const [first] = writes;
  if (first !== undefined && writes.length === 1) return first.command;
  return Buffer.concat(writes.map(({ command }) => command));
}

function overloaded(): BalsaError {
  return new BalsaError(
    'too_many_requests',
    'This member has too many writes under way; the write was not executed. Send it again a little later.',
  );
}

function noLeader(): BalsaError {
  return new BalsaError(
    'no_leader',
    'The cluster had no leader within the time-out, so the write was not executed. See /v1/cluster for who is reachable.',
  );
}

function timeout(): BalsaError {
  return new BalsaError(
    'timeout',
    'The leader did not take the write within the time-out; it was not executed. Send it again, with a longer time-out.',
  );
}

function notExecuted(): BalsaError {
  return new BalsaError(
    'unavailable',
    'The leader changed before it took the write; it was not executed. Send it again.',
  );
}

function stopped(reason: string): BalsaError {
  return new BalsaError('unavailable', `${reason}; the write was not executed. Send it to another member.`);
}

function outcomeUnknown(why: string): BalsaError {
  return new BalsaError(
    'outcome_unknown',
    `The write may or may not have been executed: ${why}. Read the key before you send it again.`,
  );
}
