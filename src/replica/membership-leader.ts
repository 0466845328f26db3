import { isOlder } from '../base/software-version.ts';
import { BalsaError } from '../contract/errors.ts';
import { memberLimits } from '../contract/members.ts';
import { type Command, encodeCommand, type MemberRecord } from '../mvcc/index.ts';
import type { Configuration, FollowerView, MemberId } from '../raft/index.ts';
import type { Duty } from './duty.ts';
import type { LeaderAnswer } from './leader-answer.ts';
import type { MembershipQuestion } from './membership-question.ts';
import { isQuorumAtRisk } from './quorum-risk.ts';
import type { Replica } from './replica.ts';

/** An automatic promotion that did not get through is tried again with one of the next ticks. */
const promotionTimeoutMs = 5000;
const recordTimeoutMs = 5000;
const lookAgainMs = 10;
/** The first version that understands changes of members. */
export const changesSince = '0.2';

type ConfigurationCommand = Extract<Command, { kind: 'memberAdd' | 'memberRemove' | 'memberPromoted' }>;

/** What a change makes of the configuration, and of the members' table. */
interface Change {
  readonly voters: readonly MemberId[];
  readonly learners: readonly MemberId[];
  readonly command: ConfigurationCommand;
}

/**
 * The leader's part in changes of members. One is under way at a time; what is asked again while its answer was lost is
 * found done.
 *
 *     add ─▶ learner ─▶ (caught up) ─▶ promote ─▶ joint ─▶ voter ─▶ remove ─▶ joint ─▶ gone for good
 */
export class MembershipLeader implements Duty {
  readonly #replica: Replica;
  #isChanging = false;
  /** What was committed at the last tick: a learner that has it is no more than a tick behind. */
  #committedAtTick = 0;

  constructor(replica: Replica) {
    this.#replica = replica;
    replica.addDuty(this);
  }

  /** Resolves with the id of the leader for `moveLeader`, else with the id of the member. */
  async answer(question: MembershipQuestion, timeoutMs: number): Promise<LeaderAnswer<string>> {
    if (this.#replica.leadingTerm === undefined) return { kind: 'notLeading' };
    const deadlineMs = this.#replica.options.clock.monotonicMs() + timeoutMs;
    try {
      await this.#replica.reads.confirm(timeoutMs);
      if (question.kind === 'moveLeader') return answered(await this.#moveLeader(question.to, deadlineMs));
      return await this.#alone(deadlineMs, () => this.#carryOut(question, deadlineMs));
    } catch (reason) {
      return { kind: 'failed', error: BalsaError.from(reason) };
    }
  }

  onLeading(): void {
    this.#committedAtTick = Number.POSITIVE_INFINITY;
  }

  onDeposed(): void {}

  onTick(): void {
    const { core, leadingTerm } = this.#replica;
    if (leadingTerm === undefined) return;
    if (!this.#isChanging) this.#promoteCaughtUp();
    this.#committedAtTick = core.commitIndex;
  }

  #promoteCaughtUp(): void {
    const { store, logger, clock } = this.#replica.options;
    const waiting = store.members.filter(({ promote }) => promote === 'auto');
    if (waiting.length === 0) return;
    const { followers } = this.#replica.core.status();
    const ready = waiting.find(({ id }) => followers.some((one) => one.id === id && this.#hasCaughtUp(one)));
    if (ready === undefined) return;
    const deadlineMs = clock.monotonicMs() + promotionTimeoutMs;
    this.#alone(deadlineMs, () => this.#promote(ready.id, deadlineMs)).then(
      () => logger.info('learner promoted', { member: ready.id, name: ready.name }),
      (reason: unknown) => logger.warn('learner not promoted yet', { member: ready.id, reason }),
    );
  }

  #hasCaughtUp({ state, recentlyActive, matchIndex, isSuspect }: FollowerView): boolean {
    return state === 'replicate' && recentlyActive && !isSuspect && matchIndex >= this.#committedAtTick;
  }

  /** One change after another. */
  async #alone<Result>(deadlineMs: number, change: () => Promise<Result>): Promise<Result> {
    await this.#replica.until(() => !this.#isChanging, deadlineMs);
    if (this.#isChanging) throw inProgress();
    this.#isChanging = true;
    try {
      return await change();
    } finally {
      this.#isChanging = false;
    }
  }

  async #carryOut(
    question: Exclude<MembershipQuestion, { kind: 'moveLeader' }>,
    deadlineMs: number,
  ): Promise<LeaderAnswer<string>> {
    await this.#refuseOldMembers(question, deadlineMs);
    switch (question.kind) {
      case 'add':
        return this.#add(question, deadlineMs);
      case 'promote':
        return this.#promote(question.id, deadlineMs);
      case 'remove':
        return this.#remove(question.id, deadlineMs);
      case 'update':
        return this.#update(question, deadlineMs);
    }
  }

  /**
   * What changes the members is not known to software from before `changesSince`, and must not get into the log that it
   * reads. Whoever is removed reads no more: it does not hold back its own removal, whether it is too old or never said.
   * Nor do others that are down hold back that of one that is down: two of them could never be replaced.
   */
  async #refuseOldMembers(
    { kind, id }: Exclude<MembershipQuestion, { kind: 'moveLeader' }>,
    deadlineMs: number,
  ): Promise<void> {
    const { store } = this.#replica.options;
    const isAgreed = (): boolean => !isOlder(store.clusterVersion, changesSince);
    if (isAgreed()) return;
    const isRemovingDown = kind === 'remove' && this.#isDown(id);
    const holdsBack = (member: MemberId): boolean =>
      kind !== 'remove' || (member !== id && !(isRemovingDown && this.#isDown(member)));
    const old = store.members.find((one) => isOlder(one.version, changesSince) && holdsBack(one.id));
    if (old !== undefined) throw notCapable(old);
    if (kind === 'remove') return;
    // All have said it, so the leader is about to put it into the log.
    await this.#replica.until(isAgreed, deadlineMs);
    if (!isAgreed()) throw inProgress();
  }

  #add(
    { id, name, peerUrls, promote }: Extract<MembershipQuestion, { kind: 'add' }>,
    deadlineMs: number,
  ): Promise<LeaderAnswer<string>> {
    const { store } = this.#replica.options;
    if (store.members.length >= memberLimits.membersMax && !this.#isMember(id)) {
      throw new BalsaError(
        'bad_request',
        `A cluster has at most ${memberLimits.membersMax} members; remove one first.`,
      );
    }
    this.#refuseTakenUrls(id, peerUrls);
    const member = { id, name, peerUrls, clientUrls: [], version: '', promote };
    return this.#change(id, deadlineMs, {
      isDone: () => this.#isMember(id),
      target: ({ voters, learners }) => ({
        voters,
        learners: [...learners, id],
        command: { kind: 'memberAdd', member },
      }),
    });
  }

  async #promote(id: string, deadlineMs: number): Promise<LeaderAnswer<string>> {
    const { voters } = this.#replica.core.status().configuration;
    if (!this.#isMember(id)) throw notFound(id);
    if (voters.includes(id)) {
      throw new BalsaError('not_a_learner', `The member ${id} votes already; nothing has to be done.`);
    }
    const { commitIndex } = this.#replica.core;
    const behind = (): number => commitIndex - (this.#follower(id)?.matchIndex ?? 0);
    const { electionTimeoutMs, clock } = this.#replica.options;
    await this.#replica.until(() => behind() <= 0, Math.min(deadlineMs, clock.monotonicMs() + electionTimeoutMs));
    if (behind() > 0 || this.#follower(id)?.recentlyActive !== true) {
      throw new BalsaError(
        'learner_behind',
        `The learner ${id} lacks ${Math.max(0, behind())} entries of what is committed` +
          `${this.#follower(id)?.recentlyActive === true ? '' : ', and does not answer'}. Start it, wait, and ask again.`,
      );
    }
    return this.#change(id, deadlineMs, {
      isDone: () => this.#replica.core.status().configuration.voters.includes(id),
      target: (now) => ({
        voters: [...now.voters, id],
        learners: now.learners.filter((learner) => learner !== id),
        command: { kind: 'memberPromoted', memberId: id },
      }),
    });
  }

  async #remove(id: string, deadlineMs: number): Promise<LeaderAnswer<string>> {
    const { core, options } = this.#replica;
    const { voters } = core.status().configuration;
    if (voters.length === 1 && voters[0] === id) {
      throw new BalsaError('quorum_at_risk', 'The only voter cannot be removed. Add and promote another member first.');
    }
    if (id === options.memberId) {
      // The others go on at once, and whoever leads next removes this member. If nobody takes over, it does so itself.
      await this.#replica.transferLeadership();
      if (core.role !== 'leader') return { kind: 'notLeading' };
    }
    return this.#change(id, deadlineMs, {
      isDone: () => !this.#isMember(id),
      target: (now) => ({
        voters: now.voters.filter((voter) => voter !== id),
        learners: now.learners.filter((learner) => learner !== id),
        command: { kind: 'memberRemove', memberId: id },
      }),
    });
  }

  async #update(
    { id, peerUrls }: Extract<MembershipQuestion, { kind: 'update' }>,
    deadlineMs: number,
  ): Promise<LeaderAnswer<string>> {
    if (!this.#isMember(id)) throw notFound(id);
    this.#refuseTakenUrls(id, peerUrls);
    const timeoutMs = Math.min(recordTimeoutMs, deadlineMs - this.#replica.options.clock.monotonicMs());
    const done = await this.#replica.propose(
      encodeCommand({ kind: 'memberUpdate', memberId: id, peerUrls }),
      timeoutMs,
    );
    if (done.outcome === 'done') return answered(id);
    return done.outcome === 'failed' ? { kind: 'failed', error: done.error } : { kind: 'notLeading' };
  }

  /** Proposes until it is done: an entry of this leader may be replaced by another's, or have to wait for another. */
  async #change(
    id: string,
    deadlineMs: number,
    { isDone, target }: { readonly isDone: () => boolean; readonly target: (now: Configuration) => Change },
  ): Promise<LeaderAnswer<string>> {
    const { core, driver, options } = this.#replica;
    const isSettled = (): boolean => core.status().configuration.votersOutgoing.length === 0;
    while (!isDone()) {
      const { voters, learners, command } = target(core.status().configuration);
      this.#refuseRisk(voters);
      const proposal = core.proposeConfiguration({ voters, learners, context: encodeCommand(command) });
      if (!proposal.accepted) {
        if (proposal.reason !== 'configuration_pending' && proposal.reason !== 'uncommitted_limit') {
          return { kind: 'notLeading' };
        }
        if (options.clock.monotonicMs() >= deadlineMs) throw inProgress();
        await new Promise<void>((resolve) => options.clock.setTimer(lookAgainMs, resolve));
        continue;
      }
      driver.wake();
      await this.#replica.until(() => options.store.appliedIndex >= proposal.firstIndex, deadlineMs);
      if (options.store.appliedIndex < proposal.firstIndex) throw unknownOutcome();
    }
    await this.#replica.until(isSettled, deadlineMs);
    if (!isSettled()) throw unknownOutcome();
    return answered(id);
  }

  async #moveLeader(to: string, deadlineMs: number): Promise<string> {
    const { core, options } = this.#replica;
    const target = to === '' ? this.#replica.successors()[0]?.id : this.#voterNamed(to);
    if (target === undefined) {
      throw new BalsaError('bad_transferee', 'There is no other voter that is up and has caught up.');
    }
    if (target === options.memberId) return target;
    const result = core.transferLeadership(target);
    if (result !== 'started' && result !== 'in_progress') {
      throw new BalsaError('bad_transferee', `The member ${target} cannot lead: it does not vote.`);
    }
    options.logger.info('leadership transfer started', { to: target });
    this.#replica.driver.wake();
    await this.#replica.until(
      () => core.leader === target || (!core.isTransferring && core.role === 'leader'),
      deadlineMs,
    );
    if (core.leader === target) return target;
    throw new BalsaError(
      'timeout',
      `The member ${target} did not take over in time; see lagEntries in GET /v1/cluster.`,
    );
  }

  #voterNamed(text: string): MemberId {
    const { store } = this.#replica.options;
    const named = store.members.filter(({ id, name }) => id === text || name === text);
    const [member] = named;
    if (member === undefined) throw notFound(text);
    if (named.length === 1) return member.id;
    throw new BalsaError('bad_request', `There are ${named.length} members named ${text}; give an id.`);
  }

  #refuseTakenUrls(id: string, peerUrls: readonly string[]): void {
    const taken = (member: MemberRecord): boolean =>
      member.id !== id && member.peerUrls.some((url) => peerUrls.includes(url));
    const owner = this.#replica.options.store.members.find(taken);
    if (owner === undefined) return;
    throw new BalsaError('member_exists', `The member ${owner.id} (${owner.name}) has one of these peer URLs already.`);
  }

  #refuseRisk(voters: readonly MemberId[]): void {
    const { followers, id } = this.#replica.core.status();
    const up = new Set(followers.filter((one) => one.recentlyActive).map((one) => one.id));
    const isUp = (member: MemberId): boolean => member === id || up.has(member);
    if (!isQuorumAtRisk(voters, isUp)) return;
    const down = voters.filter((voter) => !isUp(voter));
    throw new BalsaError(
      'quorum_at_risk',
      `Of the ${voters.length} voters there would be, ${down.length} do not answer (${down.join(', ')}): nothing could be ` +
        'decided any more. Bring them back, or remove one of them first.',
    );
  }

  #isMember(id: string): boolean {
    return this.#replica.options.store.members.some((member) => member.id === id);
  }

  #isDown(id: string): boolean {
    return id !== this.#replica.options.memberId && this.#follower(id)?.recentlyActive !== true;
  }

  #follower(id: string): FollowerView | undefined {
    return this.#replica.core.status().followers.find((one) => one.id === id);
  }
}

function answered(value: string): LeaderAnswer<string> {
  return { kind: 'answered', value };
}

function notFound(member: string): BalsaError {
  return new BalsaError('member_not_found', `There is no member ${member}; GET /v1/cluster lists them.`);
}

function notCapable({ id, name, version }: MemberRecord): BalsaError {
  const what = version === '' ? 'has not been started yet' : `runs ${version}`;
  return new BalsaError(
    'not_capable',
    `Members come and go when all of them run ${changesSince} or newer, and ${name === '' ? id : `${name} (${id})`} ${what}: ` +
      'upgrade it, start it, or remove it first.',
  );
}

function inProgress(): BalsaError {
  return new BalsaError('change_in_progress', 'Another change of members is under way. Ask again when it is done.');
}

function unknownOutcome(): BalsaError {
  return new BalsaError(
    'outcome_unknown',
    'The change is in the log and was not committed in time; it may still be made. See GET /v1/cluster.',
  );
}
