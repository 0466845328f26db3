import type { LeaseId, LeaseRecord } from '../../src/contract/lease.ts';
import type { Chance } from '../sim/world/chance.ts';
import type { Process, Scheduler } from '../sim/world/scheduler.ts';
import { applyTo, type LeaseEntry } from './lease-log.ts';
import { electionTimeoutMs, LeaseMember, type LessorOf, type Surroundings } from './lease-member.ts';

export interface ClusterEvents {
  onLeading(): void;
  /** A lease ended, as the log decides; seen by whoever watches its keys. */
  onEnded(id: LeaseId, how: 'expired' | 'revoked'): void;
  /** Entries of leaders that were deposed, without effect. */
  onStale(): void;
}

/**
 * Members over one modelled log, with real lessors. It may: cut leaders off, depose leaders that do not know it for a
 * while, stop their processes, lose the end of their logs or keep it, have what they proposed turn up under a later term of
 * theirs, apply late on followers, and run the members' clocks too fast or too slowly. It never loses what was committed,
 * nor commits in another order than it was proposed.
 */
export class LeaseCluster implements Surroundings {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly events: ClusterEvents;
  readonly members: readonly LeaseMember[];
  /** As the quorum has it; the leader itself may think otherwise. */
  leader: LeaseMember;
  term = 1;
  /** What the log says as far as it is committed. */
  readonly #leases = new Map<LeaseId, LeaseRecord>();
  #committed: LeaseEntry[] = [];
  /** Entries that are gone from the front of `#committed`, because every member has them. */
  #dropped = 0;
  #pending: LeaseEntry[] = [];
  /** The leader reaches nobody. */
  #isCutOff = false;

  constructor(
    scheduler: Scheduler,
    chance: Chance,
    events: ClusterEvents,
    { clockErrorPercent, lessorOf }: { readonly clockErrorPercent: number; readonly lessorOf?: LessorOf },
  ) {
    this.scheduler = scheduler;
    this.chance = chance;
    this.events = events;
    const most = clockErrorPercent / 100;
    // The first is too fast, the second too slow; with the others it is as chance will have it.
    this.members = [1 + most, 1 - most, chance.between(1 - most, 1 + most)].map(
      (clockRate) => new LeaseMember(this, clockRate, lessorOf),
    );
    this.leader = this.members[0] as LeaseMember;
    for (const member of this.members) member.start();
    this.elect(this.leader);
  }

  /** Leases that the log has not ended. */
  get size(): number {
    return this.#leases.size;
  }

  get commitIndex(): number {
    return this.#dropped + this.#committed.length;
  }

  entry(index: number): LeaseEntry {
    return this.#committed[index - this.#dropped - 1] as LeaseEntry;
  }

  isLeader(member: Process, term: number): boolean {
    return this.leader === member && this.term === term;
  }

  /** A majority answers that leader at this moment. */
  isFollowed(member: Process, term: number): boolean {
    return this.isLeader(member, term) && !this.#isCutOff;
  }

  onLeading(): void {
    this.events.onLeading();
  }

  cutOff(): void {
    this.#isCutOff = true;
  }

  /** What the leader has proposed meanwhile gets through. */
  heal(): void {
    this.#isCutOff = false;
    const last = this.#pending.at(-1);
    if (last !== undefined) this.#commitLater(last);
  }

  /** By the leader, in its term. */
  append(entry: LeaseEntry): void {
    this.#pending.push(entry);
    this.#commitLater(entry);
  }

  /** A majority follows that one from now on. How much of the old leader's log it has is a matter of luck. */
  elect(next: LeaseMember): void {
    const old = this.leader;
    const kept = this.chance.below(this.#pending.length + 1);
    const lost = this.#pending.splice(kept);
    this.term++;
    this.leader = next;
    this.#isCutOff = false;
    for (const entry of lost) old.onLost(entry);
    if (old !== next) this.scheduler.after(this.chance.skewed(1, electionTimeoutMs), old, () => old.learn(this.term));
    const noop = { term: this.term, command: { kind: 'noop' }, proposer: next, settle: () => undefined } as const;
    this.append(noop);
    next.becomeLeader(this.term);
  }

  #commitLater(entry: LeaseEntry): void {
    this.scheduler.after(this.chance.skewed(0.5, 20), this.leader, () => this.#commitUpTo(entry));
  }

  #commitUpTo(entry: LeaseEntry): void {
    if (!this.isFollowed(entry.proposer, entry.term)) return;
    const last = this.#pending.indexOf(entry);
    for (const committed of this.#pending.splice(0, last + 1)) this.#commit(committed);
    for (const member of this.members) {
      const delayMs = member === entry.proposer ? 0 : this.chance.skewed(1, 60);
      const index = this.commitIndex;
      if (last >= 0) this.scheduler.after(delayMs, member, () => member.applyUpTo(index));
    }
    this.#forgetApplied();
  }

  #commit(entry: LeaseEntry): void {
    this.#committed.push(entry);
    const isStale = 'term' in entry.command && entry.command.term !== entry.term;
    if (isStale) this.events.onStale();
    applyTo(this.#leases, entry, (id, lease) => {
      if (lease === undefined) this.events.onEnded(id, entry.command.kind === 'revoke' ? 'revoked' : 'expired');
    });
  }

  #forgetApplied(): void {
    const everywhere = Math.min(...this.members.map(({ appliedIndex }) => appliedIndex));
    if (everywhere - this.#dropped < 10_000) return;
    this.#committed = this.#committed.slice(everywhere - this.#dropped);
    this.#dropped = everywhere;
  }
}
