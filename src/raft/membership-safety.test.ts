import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Random } from '../base/random.ts';
import { isJoint, isVoter, membersOf } from './configuration.ts';
import { type TestMember, TestNetwork } from './testing/network.ts';
import { NetworkSafety } from './testing/network-safety.ts';
import type { MemberId, Term } from './types.ts';

/** Set to begin at another seed, or to repeat one: `MEMBERSHIP_SEED=17 MEMBERSHIP_SEEDS=1`. */
const firstSeed = Number(process.env['MEMBERSHIP_SEED'] ?? 1);
const seeds = Number(process.env['MEMBERSHIP_SEEDS'] ?? 250);
const stepsPerSeed = 4_000;
const membersMax = 9;

interface Outcome {
  applied: number;
  /** Configurations that were begun. */
  changes: number;
  /** Snapshots that took the place of a log. */
  installs: number;
  truncations: number;
  leaders: number;
  /** Leaders that left with the configuration that they had proposed. */
  departures: number;
}

/** One cluster whose members come and go, and everything that can happen to them meanwhile. */
class Run {
  readonly outcome: Outcome = { applied: 0, changes: 0, installs: 0, truncations: 0, leaders: 0, departures: 0 };
  readonly #network: TestNetwork;
  readonly #safety: NetworkSafety;
  readonly #random: Random;
  readonly #seed: number;
  /** In calm weather much gets done; in a storm members crash in the middle of their writes, and elections cross. */
  readonly #isStormy: boolean;
  readonly #terms = new Set<Term>();
  #lastId: number;

  constructor(seed: number) {
    const voters = ['1', '2', '3', '4', '5'].slice(0, 1 + (seed % 5));
    this.#lastId = voters.length;
    this.#seed = seed;
    this.#isStormy = seed % 3 === 0;
    const commitNotice = seed % 2 === 0 ? 'asked' : 'prompt';
    const limits = { electionTicks: 6, leaseDriftTicks: 2, inflightMessagesMax: 4, messageBytesMax: 40 };
    const readMode = seed % 4 === 0 ? 'lease' : 'quorum';
    this.#network = new TestNetwork(voters, { ...limits, commitNotice, readMode }, seed);
    this.#random = this.#network.random;
    this.#safety = new NetworkSafety(this.#network);
  }

  play(): Outcome {
    for (let step = 0; step < stepsPerSeed; step++) this.#step(step);
    this.#settle();
    return { ...this.outcome, applied: this.#safety.appliedCount, leaders: this.#terms.size };
  }

  #step(step: number): void {
    const member = this.#any();
    const choice = this.#random.below(100);
    if (choice < 42) this.#deliverOne();
    else if (choice < 78) this.#work(member);
    else if (choice < 83) this.#tick(member);
    else if (!member.isUp) this.#restart(member);
    else if (choice < 87) member.core.propose([Buffer.from(`${this.#seed}.${step}`)]);
    else if (choice < 89) this.#change(member);
    else if (choice < 92) this.#truncate(member);
    else if (choice < 97) this.#fetch(member);
    else if (this.#random.below(this.#isStormy ? 2 : 6) === 0) this.#disturb(member);
    if (choice === 0) member.core.tellCommit();
  }

  #members(): readonly TestMember[] {
    return [...this.#network.members.values()];
  }

  #any(): TestMember {
    const members = this.#members();
    // Leaders are few among many, and most of what is interesting is theirs.
    const leader = members.find(({ core, isUp }) => isUp && core.role === 'leader');
    if (leader !== undefined && this.#random.below(4) === 0) return leader;
    return members[this.#random.below(members.length)] as TestMember;
  }

  #some(): readonly MemberId[] {
    return this.#members().flatMap(({ id }) => (this.#random.below(2) === 0 ? [id] : []));
  }

  #deliverOne(): void {
    const { onTheirWay } = this.#network;
    const position = this.#random.below(2) === 0 ? 0 : this.#random.below(Math.max(1, onTheirWay.length));
    const [message] = onTheirWay.splice(position, 1);
    if (message === undefined) return;
    const fate = this.#random.below(100);
    if (fate < 5) return;
    if (fate < 10) onTheirWay.push(message);
    const receiver = this.#network.member(message.to);
    const wasLeading = receiver.isUp && receiver.core.role === 'leader';
    this.#network.deliver(message);
    if (!wasLeading || receiver.core.role === 'leader') return;
    if (!isVoter(receiver.core.status().configuration, receiver.id)) this.outcome.departures++;
  }

  #work(member: TestMember): void {
    if (!member.isUp) return;
    const { core } = member;
    if (member.isBusy) this.#network.send(member.finish());
    else if (core.hasReady()) this.#network.send(member.begin());
    if (core.role === 'leader') this.#terms.add(core.term);
    this.#safety.check();
  }

  /** Leases rely on clocks that run alike: there all tick together. */
  #tick(member: TestMember): void {
    for (const one of this.#seed % 4 === 0 ? this.#members() : [member]) if (one.isUp) one.core.tick();
  }

  /** Any sets of those who are in, those who could come, and now and then what makes no sense. */
  #change(member: TestMember): void {
    const { core } = member;
    if (core.role !== 'leader') return;
    const { configuration } = core.status();
    const candidates = [...membersOf(configuration)];
    if (this.#network.members.size < membersMax && this.#random.below(2) === 0) {
      const id = (++this.#lastId).toString(16);
      this.#network.join(id);
      candidates.push(id);
    }
    const voters: MemberId[] = [];
    const learners: MemberId[] = [];
    // Mostly one or two change their place; now and then all of them are shuffled.
    const stayPercent = this.#random.below(5) === 0 ? 0 : 75;
    for (const id of candidates) {
      const isStaying = this.#random.below(100) < stayPercent;
      const fate = this.#random.below(10);
      if (isStaying ? configuration.voters.includes(id) : fate < 6) voters.push(id);
      else if (isStaying ? configuration.learners.includes(id) : fate < 8) learners.push(id);
    }
    const before = core.lastIndex;
    const result = core.proposeConfiguration({ voters, learners, context: Buffer.from('context') });
    if (!result.accepted) return;
    assert.equal(result.firstIndex, before + 1);
    this.outcome.changes++;
    // What a change must withstand: that some have heard of it, the others decide without them, and both sides campaign.
    if (this.#random.below(3) === 0) this.#network.isolate(member.id, ...this.#some());
  }

  #truncate(member: TestMember): void {
    if (member.isBusy || member.applied.length < member.log.firstIndex()) return;
    this.outcome.truncations++;
    const room = member.applied.length - member.log.firstIndex() + 1;
    member.truncate(member.log.firstIndex() + this.#random.below(room));
  }

  /** First it is fetched, later installed: meanwhile anything may happen. */
  #fetch(member: TestMember): void {
    const { offer } = member;
    const from = this.#network.members.get(offer?.from ?? '');
    if (member.hasFetched) {
      if (!member.isBusy && !member.isInstalling && member.install()) this.outcome.installs++;
    } else if (offer !== undefined && from?.isUp === true && from.applied.length >= offer.index) {
      member.offer = undefined;
      member.fetch(from);
    }
  }

  #disturb(member: TestMember): void {
    const trouble = this.#random.below(9);
    if (trouble < 2 || (this.#isStormy && member.isBusy)) member.crash({ isWriteDone: this.#random.below(2) === 0 });
    else if (trouble < 4) this.#network.isolate(...this.#some());
    else if (trouble < 7) this.#network.isolate();
    else if (trouble === 7) member.core.transferLeadership(this.#any().id);
    else if (this.#random.below(2) === 0) member.core.reportUnreachable(this.#any().id);
    else member.core.stepDown();
  }

  #restart(member: TestMember): void {
    // Most of the time most are up, or nothing would get done.
    member.restart();
  }

  /** Everything is up and connected: there is one leader, and all that take part end with the same. */
  #settle(): void {
    const network = this.#network;
    network.isolate();
    for (const member of this.#members()) if (!member.isUp) member.restart();
    for (let tick = 0; tick < 80; tick++) {
      network.tick();
      this.#safety.check();
    }
    const leader = this.#members().find(({ core }) => core.role === 'leader');
    assert.ok(leader !== undefined, 'nobody leads in the end');
    network.propose(leader.id, 'the last');
    network.tick(8);
    this.#safety.check();
    const { configuration, pendingConfiguration } = leader.core.status();
    assert.equal(pendingConfiguration, undefined, 'a change does not end');
    assert.ok(!isJoint(configuration), 'a joint configuration was not left');
    for (const id of membersOf(configuration)) {
      const { applied, core } = network.member(id);
      assert.equal(applied.length, leader.core.lastIndex, `${id} has not applied all in the end`);
      assert.deepEqual(core.status().configuration, configuration, `${id} has another configuration`);
    }
  }
}

test(`raft: membership: changes, snapshots, truncation, crashes, cuts: seeds ${firstSeed} to ${firstSeed + seeds - 1}`, (t) => {
  const sum: Outcome = { applied: 0, changes: 0, installs: 0, truncations: 0, leaders: 0, departures: 0 };
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    try {
      const outcome = new Run(seed).play();
      for (const key of Object.keys(sum) as (keyof Outcome)[]) sum[key] += outcome[key];
    } catch (cause) {
      const what = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      throw new Error(`MEMBERSHIP_SEED=${seed} MEMBERSHIP_SEEDS=1: ${what}`, { cause });
    }
  }
  t.diagnostic(JSON.stringify(sum));
  // Schedules in which nothing happens would find nothing; a single one may be such.
  if (seeds < 50) return;
  for (const [what, count] of Object.entries(sum)) assert.ok(count >= seeds / 10, `${what}: ${count}`);
});
