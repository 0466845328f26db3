import { isDeepStrictEqual } from 'node:util';
import { assert } from '../../base/assert.ts';
import type { Configuration, Entry, MemberId, Term } from '../types.ts';
import type { MemoryLog } from './memory-log.ts';
import type { TestMember, TestNetwork } from './network.ts';

/** The properties of the Raft paper, figure 3, checked from outside, on what leaves the cores and what is on their disks. */
export class NetworkSafety {
  readonly #network: TestNetwork;
  readonly #leaders = new Map<Term, MemberId>();
  readonly #applied: Entry[] = [];
  readonly #appliedInTerm: Term[] = [];
  /** How much of what each member applied was looked at. */
  readonly #checked = new Map<MemberId, number>();

  constructor(network: TestNetwork) {
    this.#network = network;
  }

  /** What was applied anywhere, and so may have been acknowledged. */
  get appliedCount(): number {
    return this.#applied.length;
  }

  check(): void {
    for (const member of this.#network.members.values()) {
      if (member.isUp) this.#checkLeader(member);
      if (member.isUp && !member.hasWork && !member.isInstalling) checkConfiguration(member);
      this.#checkApplied(member);
    }
    this.#checkLogs();
  }

  /** Election Safety and Leader Completeness. */
  #checkLeader({ id, core, log }: TestMember): void {
    const { role, term } = core;
    if (role !== 'leader') return;
    const isNew = !this.#leaders.has(term);
    const first = this.#leaders.get(term) ?? id;
    assert(first === id, () => `${first} and ${id} both lead in term ${term}`);
    this.#leaders.set(term, id);
    if (!isNew) return;
    this.#checkVotes(id, term, core.status().configuration);
    for (const [position, entry] of this.#applied.entries()) {
      if ((this.#appliedInTerm[position] ?? 0) >= term || entry.index < log.firstIndex()) continue;
      assert(entry.index <= core.lastIndex, () => `leader ${id} of term ${term} ends before ${entry.index}`);
      // What lies behind is not on its disk yet.
      if (entry.index > log.lastIndex()) continue;
      const isHeld = log.entry(entry.index)?.term === entry.term;
      assert(isHeld, () => `leader ${id} of term ${term} lacks ${entry.index}`);
    }
  }

  /** Counted anew, in each half of a joint configuration (thesis 4.3). */
  #checkVotes(id: MemberId, term: Term, { voters, votersOutgoing }: Configuration): void {
    const votes = this.#network.votes.get(`${term} ${id}`) ?? new Set();
    for (const half of [voters, votersOutgoing]) {
      const granted = half.filter((voter) => voter === id || votes.has(voter));
      const isMajority = half.length === 0 || 2 * granted.length > half.length;
      assert(
        isMajority,
        () => `${id} leads in term ${term} with the votes of ${granted.join(' ')} of ${half.join(' ')}`,
      );
    }
  }

  /** State Machine Safety: each entry that a member applies is compared once with what was applied there before. */
  #checkApplied({ id, applied, core }: TestMember): void {
    for (let position = this.#checked.get(id) ?? 0; position < applied.length; position++) {
      const entry = applied[position];
      assert(entry !== undefined && entry.index === position + 1, () => `${id} applied out of order`);
      const first = this.#applied[position];
      if (first === undefined) {
        assert(position === this.#applied.length, () => `${id} was not checked in order`);
        this.#applied.push(entry);
        this.#appliedInTerm.push(core.term);
      } else {
        assert(isSame(entry, first), () => `${id} applied another ${position + 1}`);
      }
    }
    this.#checked.set(id, applied.length);
  }

  #checkLogs(): void {
    const [first, ...others] = [...this.#network.members.values()].map(({ log }) => log);
    for (const other of others) if (first !== undefined) checkLogMatching(first, other);
  }
}

/** The newest in the log is in effect, and none whose entry was replaced (thesis 4.1). */
function checkConfiguration({ id, core, log }: TestMember): void {
  const [inEffect, newest] = [core.status().configuration, log.configurationAt(log.lastIndex())];
  assert(isDeepStrictEqual(inEffect, newest), () => `${id} goes by another configuration than its log says`);
}

/** Two logs that agree in the term at an index are the same up to there, as far as both reach back. */
function checkLogMatching(a: MemoryLog, b: MemoryLog): void {
  let isAgreed = false;
  const base = Math.max(a.firstIndex(), b.firstIndex()) - 1;
  for (let index = Math.min(a.lastIndex(), b.lastIndex()); index >= base && index > 0; index--) {
    const isSameTerm = a.term(index) === b.term(index);
    assert(isSameTerm || !isAgreed, () => `logs agree above ${index} and differ there`);
    isAgreed ||= isSameTerm;
    const [left, right] = [a.entry(index), b.entry(index)];
    if (isSameTerm && left !== undefined && right !== undefined) {
      assert(isSame(left, right), () => `two entries ${index} of term ${left.term}`);
    }
  }
}

function isSame(a: Entry, b: Entry): boolean {
  return a.index === b.index && a.term === b.term && a.type === b.type && Buffer.compare(a.data, b.data) === 0;
}
