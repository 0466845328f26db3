import { emptyConfiguration, type MemberId, type Message } from '../../../src/raft/index.ts';
import type { Operation as HistoryOperation } from '../../checking/history.ts';
import { describeOperation } from '../../checking/history.ts';
import { ModelCheck } from '../checks/model-check.ts';
import { SafetyWatch } from '../checks/safety.ts';
import { checkVersions } from '../checks/version-check.ts';
import { Violation } from '../checks/violation.ts';
import { Clients } from '../clients.ts';
import { LeaseClients } from '../lease-clients.ts';
import type { Plan } from '../plan.ts';
import { StoreClients } from '../store-clients.ts';
import { Story } from '../story.ts';
import { Trace } from '../trace.ts';
import { WatchClients } from '../watch-clients.ts';
import { Backups } from './backups.ts';
import { Chance } from './chance.ts';
import { currentSoftware, type FailureKind, type Founder, oldSoftware, SimulatedMember } from './member.ts';
import { SimulatedNetwork } from './network.ts';
import { Operator } from './operator.ts';
import { peerUrlOf } from './peer-url.ts';
import type { SimulatedProcess } from './process.ts';
import { Scheduler } from './scheduler.ts';
import type { Operation } from './volume.ts';

/** A process that ended by itself is started again after that time, as by a supervisor. */
const restartMs = 700;

/** Often enough that runs have some. */
const integrityIntervalMs = 3000;

/** Longer than the slowest turn of a process. */
const restMs = 500;

interface Resting {
  readonly process: SimulatedProcess | undefined;
  /** Of the newest batch of its log. */
  readonly sequence: number | undefined;
  readonly sinceMs: number;
}

/** A cluster with its disks, its network and its clients, and everybody who watches it. */
export class World {
  readonly plan: Plan;
  readonly chance: Chance;
  readonly scheduler: Scheduler;
  readonly network: SimulatedNetwork;
  /** All that there ever were, in the order of their arrival. */
  readonly members: readonly SimulatedMember[];
  readonly clients: Clients;
  readonly model = new ModelCheck();
  readonly storeClients: StoreClients;
  readonly watchClients: WatchClients;
  readonly leaseClients: LeaseClients;
  readonly backups: Backups;
  readonly operator: Operator;
  readonly safety: SafetyWatch;
  readonly story = new Story();
  readonly trace = new Trace();
  /** Members that start again after a failure of their own. */
  readonly supervised: Set<SimulatedMember>;
  /** Called when a member begins to lead. */
  onElected: (leader: SimulatedMember) => void = () => undefined;
  /** Messages delivered. */
  messages = 0;
  introductions = 0;
  #reportedLeader = '';
  readonly #resting = new Map<SimulatedMember, Resting>();
  readonly #all: SimulatedMember[] = [];

  constructor(plan: Plan) {
    this.plan = plan;
    this.chance = new Chance(plan.seed).of('world');
    this.scheduler = new Scheduler(this.chance.of('order'));
    this.network = new SimulatedNetwork(
      this.scheduler,
      this.chance.of('network'),
      {
        onSend: (from, message) => this.#onSend(from, message),
        onDelivered: (message) => this.#onDelivered(message),
        onIntroduced: (member, stranger) => {
          this.introductions++;
          this.tell(`${stranger} introduces itself to ${member}`);
        },
      },
      { usesFrames: plan.usesFrames },
    );
    const founders = Array.from({ length: plan.members }, (_, i) => {
      const id = (i + 1).toString(16);
      return { id, name: `node${id}`, peerUrls: [peerUrlOf(`node${id}`)] };
    });
    this.members = this.#all;
    for (const [i, { id, name }] of founders.entries()) {
      const member = this.#makeMember(id, name, founders);
      if (plan.oldMembers.includes(i)) member.software = oldSoftware;
      this.#all.push(member);
    }
    this.supervised = new Set(this.members);
    const voters = founders.map(({ id }) => id);
    this.safety = new SafetyWatch(this.members, { ...emptyConfiguration, voters });
    this.operator = new Operator(this);
    this.clients = new Clients({
      plan: plan.clients,
      scheduler: this.scheduler,
      chance: this.chance.of('clients'),
      members: this.members,
      slowestClock: 0.75,
      onEnded: (operation) => this.#onEnded(operation),
      onViolation: (violation) => this.scheduler.stop(violation),
    });
    this.backups = new Backups(this.scheduler, this.clients.history, (text) => this.tell(text));
    const shared = { plan, scheduler: this.scheduler, members: this.members, model: this.model };
    this.storeClients = new StoreClients({
      ...shared,
      chance: this.chance.of('store clients'),
      onViolation: (violation) => this.scheduler.stop(violation),
    });
    this.watchClients = new WatchClients({ ...shared, chance: this.chance.of('watch clients') });
    this.leaseClients = new LeaseClients({ ...shared, chance: this.chance.of('lease clients') });
    this.scheduler.onSettled = () => this.#look();
    this.network.worsen(plan.weather);
  }

  /** The one with that number, counted anew from the first when there are fewer. */
  member(number: number): SimulatedMember {
    const { present } = this;
    const member = present[number % present.length];
    if (member === undefined) throw new Error('there are no members');
    return member;
  }

  /** Those that take part, or are about to: not removed, and not destroyed. */
  get present(): readonly SimulatedMember[] {
    return this.#all.filter(({ id, isDestroyed }) => !isDestroyed && !this.safety.isRemoved(id));
  }

  /** It has lost what it held, for good or until the others have filled it up. */
  isLost(id: MemberId): boolean {
    const member = this.#all.find((one) => one.id === id);
    return member === undefined || member.isDestroyed || member.isDamaged || member.isSuspect;
  }

  /** A machine of whoever was added by that id, with an empty disk. */
  join(id: MemberId, name: string): SimulatedMember {
    const known = this.#all.find((member) => member.id === id);
    if (known !== undefined) return known;
    const member = this.#makeMember(id, name, []);
    this.#all.push(member);
    this.supervised.add(member);
    return member;
  }

  /** Who leads, as far as can be told: of several the one in the highest term. */
  leader(): SimulatedMember | undefined {
    let leader: SimulatedMember | undefined;
    for (const member of this.members) {
      const core = member.running?.replica.core;
      if (core?.role !== 'leader') continue;
      if (leader === undefined || core.term > (leader.running?.replica.core.term ?? 0)) leader = member;
    }
    return leader;
  }

  tell(text: string): void {
    this.story.tell(this.scheduler.nowMs, text);
  }

  /** Runs it that many milliseconds of the world later. */
  later(delayMs: number, run: () => void): void {
    this.scheduler.after(delayMs, undefined, run);
  }

  /** A machine that belongs to another cluster, and takes part in nothing that is watched here. */
  makeStranger(id: MemberId, name: string, clusterId: string, onFailure: (what: string) => void): SimulatedMember {
    const ignored = (): void => undefined;
    const events = { onStarted: ignored, onApplied: ignored, onResults: ignored, onNote: ignored };
    return new SimulatedMember({
      ...this.#optionsOf(id, name),
      clusterId,
      founders: [],
      whomToAsk: () => [],
      events: { ...events, onFailure: (_, reason) => onFailure(String(reason)) },
    });
  }

  #makeMember(id: MemberId, name: string, founders: readonly Founder[]): SimulatedMember {
    const member = new SimulatedMember({
      ...this.#optionsOf(id, name),
      clusterId: 'c1',
      founders,
      whomToAsk: () => this.operator.table(),
      events: {
        onStarted: (started) => {
          this.safety.onStart(started.id);
          this.tell(`${started.id} runs`);
        },
        onApplied: (by, index, revision) => this.#onApplied(by, index, revision),
        onResults: (by, entry, results) =>
          this.#check(() => this.model.onApplied(by.id, entry, results, this.scheduler.nowMs)),
        onNote: (by, text) => this.tell(`${by.id}: ${text}`),
        onFailure: (by, reason, kind) => this.#onFailure(by, reason, kind),
      },
    });
    member.disk.setSpeed(this.plan.diskSpeed);
    member.disk.onLogDurable = (operations) => this.#onLogDurable(member, operations);
    return member;
  }

  #optionsOf(id: MemberId, name: string) {
    const { scheduler, network } = this;
    const { heartbeatIntervalMs, electionTimeoutMs, limits, logCacheBytes, flushIntervalMs } = this.plan;
    const { watchStepChanges, snapshotCount } = this.plan;
    const chance = this.chance.of(`member ${id}`);
    return {
      ...{
        id,
        name,
        software: currentSoftware,
        scheduler,
        network,
        chance,
        heartbeatIntervalMs,
        electionTimeoutMs,
        limits,
        logCacheBytes,
      },
      ...{ flushIntervalMs, integrityIntervalMs, watchStepChanges, snapshotCount },
    };
  }

  /** After every event: the members that it may have concerned are all looked at, it is only a few comparisons. */
  #look(): void {
    this.trace.mix(this.scheduler.nowMs * 1024);
    for (const member of this.members) {
      const { running } = member;
      if (running === undefined) continue;
      const { core } = running.replica;
      this.safety.look(member, core);
      if (this.#hasRested(member)) this.safety.lookAtRest(member, core);
      if (
        member.isDamaged &&
        !core.isSuspect &&
        !member.isSuspect &&
        member.durable.lastIndex >= this.safety.appliedIndex
      ) {
        member.isDamaged = false;
        this.tell(`${member.id} has everything again`);
      }
      if (core.role !== 'leader') continue;
      const leader = `${member.id} leads in term ${core.term}`;
      if (leader === this.#reportedLeader) continue;
      this.#reportedLeader = leader;
      this.tell(leader);
      this.onElected(member);
    }
  }

  /** Nothing is left to be written, and was not for longer than a turn takes: what it has in memory is on its disk. */
  #hasRested(member: SimulatedMember): boolean {
    const { process, running, disk, durable } = member;
    if (!this.safety.hasChanged(member)) return false;
    const isBusy = disk.isWriting || process?.isPaused === true || running?.replica.core.hasReady() === true;
    const resting = this.#resting.get(member);
    const { nowMs } = this.scheduler;
    if (isBusy || resting === undefined || resting.process !== process || resting.sequence !== durable.sequence) {
      this.#resting.set(member, { process, sequence: durable.sequence, sinceMs: nowMs });
      return false;
    }
    return nowMs - resting.sinceMs > restMs;
  }

  #onSend(from: MemberId, message: Message): void {
    const sender = this.members.find(({ id }) => id === from);
    if (sender !== undefined) this.#check(() => this.safety.onSend(sender, message));
  }

  #onDelivered(message: Message): void {
    this.messages++;
    this.safety.onDelivered(message);
    this.trace.mix(message.type.length);
    this.trace.mix(message.term);
    this.trace.mixText(message.to);
  }

  #onLogDurable(member: SimulatedMember, operations: readonly Operation[]): void {
    const brought = member.durable.apply(operations);
    this.#check(() => this.safety.onDurable(member, brought));
    const old = this.present.filter(({ isOld }) => isOld);
    // Whoever is being removed is waited for no more.
    const table = old.length === 0 ? [] : this.operator.table();
    const waitedFor = old.filter(({ id }) => table.some((record) => record.id === id));
    if (waitedFor.length > 0) this.#check(() => checkVersions(operations, waitedFor));
    this.trace.mix(operations.length);
  }

  #onApplied(member: SimulatedMember, index: number, revision: number): void {
    const core = member.running?.replica.core;
    this.trace.mix(index);
    if (core !== undefined) this.#check(() => this.safety.onApplied(member, core, index, revision));
  }

  /** Called from within a member, which must not take the verdict for a failure of its own. */
  #check(check: () => void): void {
    try {
      check();
    } catch (reason) {
      this.scheduler.stop(reason);
    }
  }

  #onFailure(member: SimulatedMember, reason: unknown, kind: FailureKind): void {
    const text = reason instanceof Error ? reason.message : String(reason);
    this.tell(`${member.id} stops: ${text.slice(0, 150)}`);
    if (kind === 'contradiction') {
      this.scheduler.stop(new Violation('member invariant', `${member.id}: ${text}`));
    } else if (kind === 'broken') {
      if (this.supervised.has(member)) this.later(restartMs, () => this.supervised.has(member) && member.start());
    } else if (!this.safety.isBeingRemoved(member.id)) {
      this.scheduler.stop(new Violation('membership', `${member.id} was told that it was removed, and was not`));
    }
  }

  #onEnded(operation: HistoryOperation): void {
    this.trace.mixText(JSON.stringify(operation.action));
    this.tell(describeOperation(operation));
  }
}
