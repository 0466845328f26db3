import type { Clock } from '../../src/base/clock.ts';
import type { LeaseId, LeaseRecord } from '../../src/contract/lease.ts';
import { Lessor, type LessorOptions } from '../../src/replica/lessor.ts';
import type { Chance } from '../sim/world/chance.ts';
import type { Process, Scheduler } from '../sim/world/scheduler.ts';
import { applyTo, type LeaseCommand, type LeaseEntry, type Outcome } from './lease-log.ts';

export const electionTimeoutMs = 1000;
const tickMs = 100;

/** What a member has to do with: the others, as one. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly commitIndex: number;
  entry(index: number): LeaseEntry;
  /** The quorum elected it in that term, and nobody since. */
  isLeader(member: Process, term: number): boolean;
  /** A majority answers that leader at this moment. */
  isFollowed(member: Process, term: number): boolean;
  append(entry: LeaseEntry): void;
  onLeading(): void;
}

export type LessorOf = (options: LessorOptions) => Lessor;

/** What a member says to a keep-alive. `retry`: it does not lead, or cannot tell yet. */
export type KeepAliveAnswer = 'renewed' | 'gone' | 'retry';

/** An entry of the leader's own may take that long, by its clock. */
const proposalTimeoutMs = 3000;

/** One member: the leases as far as it has applied the log, its lessor, and its clock. */
export class LeaseMember implements Process {
  readonly isGone = false;
  isPaused = false;
  readonly lessor: Lessor;
  readonly #cluster: Surroundings;
  readonly #clockRate: number;
  readonly #leases = new Map<LeaseId, LeaseRecord>();
  #appliedIndex = 0;
  /** The term in which it believes to lead. */
  #term: number | undefined;
  #deferred: (() => void)[] = [];
  /** Of a leader that does not know yet that it was deposed: nobody will have them. */
  #hopeless: LeaseEntry[] = [];
  /** Proposals of an earlier term that wait within the member until it leads again. */
  #late: LeaseCommand[] = [];
  #tickDueMs = 0;

  constructor(cluster: Surroundings, clockRate: number, lessorOf: LessorOf = (options) => new Lessor(options)) {
    this.#cluster = cluster;
    this.#clockRate = clockRate;
    this.lessor = lessorOf({
      clock: this.#clock(),
      tickMs,
      electionTimeoutMs,
      expire: (term, ids) => this.#proposed({ kind: 'expire', term, ids }),
      checkpoint: (term, leases) => this.#proposed({ kind: 'checkpoint', term, leases }),
    });
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  start(): void {
    this.#scheduleTick();
  }

  defer(run: () => void): void {
    this.#deferred.push(run);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    for (const run of this.#deferred.splice(0)) run();
  }

  becomeLeader(term: number): void {
    this.learn(term);
    this.#term = term;
    for (const command of this.#late.splice(0)) this.propose(command, () => undefined);
  }

  /** There is a term after the one in which it led. */
  learn(term: number): void {
    if (this.#term === undefined || this.#term >= term) return;
    this.#term = undefined;
    this.lessor.stop();
    for (const entry of this.#hopeless.splice(0)) entry.settle('lost');
  }

  /** It was in this member's log, and the next leader had it not. */
  onLost(entry: LeaseEntry): void {
    // As a proposal that has to wait for the end of a transfer of leadership, and then finds another term.
    if (this.#cluster.chance.happens(0.7)) this.#late.push(entry.command);
    this.#hopeless.push(entry);
  }

  propose(command: LeaseCommand, onEnd: (outcome: Outcome) => void): void {
    const term = this.#term;
    if (term === undefined) {
      onEnd('lost');
      return;
    }
    let isOver = false;
    const settle = (outcome: Outcome): void => {
      if (!isOver) onEnd(outcome);
      isOver = true;
    };
    const entry = { term, command, proposer: this, settle };
    if (this.#cluster.isLeader(this, term)) this.#cluster.append(entry);
    else this.#hopeless.push(entry);
    this.#cluster.scheduler.after(proposalTimeoutMs / this.#clockRate, this, () => settle('lost'));
  }

  applyUpTo(index: number): void {
    while (this.#appliedIndex < index) {
      const entry = this.#cluster.entry(++this.#appliedIndex);
      applyTo(this.#leases, entry, (id, lease) => this.lessor.onLeaseChange(id, lease));
      if (entry.proposer !== this) continue;
      entry.settle('done');
      if (entry.command.kind === 'noop' && entry.term === this.#term) {
        this.lessor.lead(entry.term, this.#leases.values());
        this.#cluster.onLeading();
      }
    }
  }

  /** Step by step what `ReplicaLeaseService` does. */
  keepAlive(id: LeaseId, answer: (answer: KeepAliveAnswer) => void): void {
    this.#confirm((isConfirmed) => {
      const { term } = this.lessor;
      if (!isConfirmed || term === undefined) answer('retry');
      else if (this.lessor.state(id) === 'checkpointed') this.#restore(id, term, () => answer(this.#renew(id, term)));
      else answer(this.#renew(id, term));
    });
  }

  #renew(id: LeaseId, term: number): KeepAliveAnswer {
    if (this.lessor.term !== term) return 'retry';
    if (!this.#leases.has(id)) return 'gone';
    if (this.lessor.state(id) !== 'held') return 'retry';
    this.lessor.renew(id);
    return 'renewed';
  }

  #restore(id: LeaseId, term: number, then: () => void): void {
    const checkpoints = this.lessor.checkpoints(id);
    this.propose({ kind: 'checkpoint', term, leases: [{ id, remaining: undefined }] }, (outcome) => {
      if (outcome === 'done' && this.lessor.term === term) this.lessor.restored(id, checkpoints);
      then();
    });
  }

  /** A round of heartbeats: the majority says at one moment that it follows, and the leader hears of it at another. */
  #confirm(then: (isConfirmed: boolean) => void): void {
    const { scheduler, chance } = this.#cluster;
    const term = this.#term;
    if (term === undefined) {
      then(false);
      return;
    }
    scheduler.after(chance.skewed(0.2, 10), undefined, () => {
      const isConfirmed = this.#cluster.isFollowed(this, term);
      const index = this.#cluster.commitIndex;
      scheduler.after(chance.skewed(0.2, 10), this, () => then(isConfirmed && this.#appliedIndex >= index));
    });
  }

  #proposed(command: LeaseCommand): Promise<void> {
    return new Promise((resolve) => this.propose(command, () => resolve()));
  }

  /** As the ticker: what is late comes after the input that waits, and starts a new rhythm. */
  #scheduleTick(): void {
    const { scheduler } = this.#cluster;
    const intervalMs = tickMs / this.#clockRate;
    this.#tickDueMs = Math.max(this.#tickDueMs + intervalMs, scheduler.nowMs);
    scheduler.after(this.#tickDueMs - scheduler.nowMs, this, () => {
      const isLate = scheduler.nowMs - this.#tickDueMs > intervalMs / 2;
      scheduler.after(isLate ? 1 : 0, this, () => {
        this.lessor.tick();
        this.#scheduleTick();
      });
    });
  }

  #clock(): Clock {
    const unused = (): never => {
      throw new Error('a lessor has no timers of its own');
    };
    const monotonicMs = (): number => this.#cluster.scheduler.nowMs * this.#clockRate;
    return { monotonicMs, setTimer: unused, endOfTurn: unused, afterInput: unused };
  }
}
