import { isVoter, type MemberId } from '../../../src/raft/index.ts';
import type { Change } from '../plan.ts';
import type { Chance } from './chance.ts';
import type { DiskCopy } from './disk.ts';
import type { SimulatedMember } from './member.ts';
import type { World } from './world.ts';

/** What has to be asked before a member is broken, and who breaks it. */
export interface Limits {
  /** No more faults from here on. */
  isOver(): boolean;
  /** The others can do without what this one holds. */
  mayBeLost(member: SimulatedMember): boolean;
  crash(member: SimulatedMember, downMs: number): void;
  /** Nothing that it has sent, or sends meanwhile, arrives. */
  hush(member: SimulatedMember, forMs: number): void;
}

/** More would only make runs longer. */
const membersMax = 7;
const attemptsMax = 6;
const retryMs = 700;
const transferPatienceMs = 5000;
/** Less than a message takes. */
const lookEveryMs = 0.1;

/**
 * Lets the cluster's members change as the plan says. An operator knows what is dead and does not remove a sound voter
 * while so many are broken that the rest could not decide; Balsa cannot know it of a member that answered a moment ago.
 */
export class Changes {
  readonly #world: World;
  readonly #limits: Limits;
  readonly #chance: Chance;
  readonly #oldCopies = new Map<MemberId, DiskCopy>();
  #updates = 0;

  constructor(world: World, limits: Limits) {
    this.#world = world;
    this.#limits = limits;
    this.#chance = world.chance.of('changes');
  }

  /** See `Operator.mayBeRemoving`. */
  get mayBeRemoving(): boolean {
    return this.#world.operator.mayBeRemoving;
  }

  make(change: Change): void {
    const { operator, present } = this.#world;
    this.#copyDisks();
    switch (change.kind) {
      case 'addMember':
        if (present.length < membersMax) void this.#add(change.promote, change.startMs);
        return;
      case 'promoteLearner': {
        const learners = this.#learners();
        if (learners.length > 0) void operator.promote(this.#chance.pick(learners));
        return;
      }
      case 'removeMember':
        void this.#remove(change);
        return;
      case 'replaceMember':
        void this.#replace(change);
        return;
      case 'updateMember':
        void operator.update(this.#world.member(change.member), ++this.#updates);
        return;
      case 'moveLeader':
        void operator.moveLeader(this.#world.member(change.member).id);
        return;
      case 'cutTransfer':
        this.#cutTransfer(change);
        return;
      case 'loseChange':
        this.#loseChange(change);
        return;
    }
  }

  async #add(promote: 'auto' | 'manual', startMs: number): Promise<void> {
    const added = await this.#world.operator.add(promote);
    if (added === undefined) return;
    const member = this.#world.join(added.id, added.name);
    // It belongs to the broken rest of the liveness phase until it is started.
    this.#world.later(startMs, () => {
      if (!this.#limits.isOver() || this.#world.supervised.has(member)) member.start();
    });
  }

  async #remove({ whom, backMs, comesBackWith }: Extract<Change, { kind: 'removeMember' }>): Promise<void> {
    const world = this.#world;
    const member = this.#whom(whom);
    if (member === undefined || !this.#mayRemove(member)) return;
    const outcome = await world.operator.remove(member.id);
    if (outcome !== 'done' || backMs === undefined) return;
    world.later(backMs, () => {
      if (this.#limits.isOver() || member.isDestroyed) return;
      if (comesBackWith === 'an older copy' && !this.#forget(member)) return;
      world.tell(`${member.id}, which was removed, comes back with ${comesBackWith}`);
      member.start();
    });
  }

  /**
   * Others that were removed, or do not know yet that this one was, might decide with it in a configuration of before:
   * against that nobody is safe but who empties what was removed. False: so it has to stay away.
   */
  #forget(member: SimulatedMember): boolean {
    const { members, present } = this.#world;
    const copy = this.#oldCopies.get(member.id);
    const isKnown = present.every(({ running }) => running?.state.store.removedMembers.has(member.id));
    if (copy === undefined || !isKnown) return false;
    for (const other of members) if (other !== member && !present.includes(other)) other.destroy();
    member.crash();
    member.disk.restore(copy);
    member.durable.reload(member.disk.volumes.log.content());
    return true;
  }

  async #replace({ member: number, removeMs, startMs }: Extract<Change, { kind: 'replaceMember' }>): Promise<void> {
    const world = this.#world;
    const member = world.member(number);
    if (world.present.length < 2 || !this.#limits.mayBeLost(member)) return;
    world.tell(`${member.id} and its disk are lost`);
    member.destroy();
    await this.#sleep(removeMs);
    for (let attempt = 0; attempt < attemptsMax && !this.#limits.isOver(); attempt++) {
      if ((await world.operator.remove(member.id)) === 'done') break;
      await this.#sleep(retryMs);
    }
    if (!this.#limits.isOver()) await this.#add('auto', startMs);
  }

  #cutTransfer({ whose, afterMs, downMs }: Extract<Change, { kind: 'cutTransfer' }>): void {
    const world = this.#world;
    const endMs = world.scheduler.nowMs + transferPatienceMs;
    const look = (): void => {
      if (this.#limits.isOver() || world.scheduler.nowMs > endMs) return;
      const receiver = world.present.find(({ running, disk }) => {
        return running?.replica.receiving !== undefined || !disk.volumes.incoming.isEmpty;
      });
      if (receiver === undefined) {
        world.later(5, look);
        return;
      }
      world.later(afterMs, () => {
        const member = whose === 'receiver' ? receiver : world.leader();
        if (member !== undefined && !this.#limits.isOver()) this.#limits.crash(member, downMs);
      });
    };
    look();
  }

  #loseChange({ forMs }: Extract<Change, { kind: 'loseChange' }>): void {
    const world = this.#world;
    const endMs = world.scheduler.nowMs + transferPatienceMs;
    const look = (): void => {
      if (this.#limits.isOver() || world.scheduler.nowMs > endMs) return;
      const leader = world.leader();
      const pending = leader?.running?.replica.core.status().pendingConfiguration;
      if (leader === undefined || pending === undefined || leader.durable.lastIndex >= pending.index) {
        world.later(lookEveryMs, look);
        return;
      }
      world.tell(`${leader.id} has a change of members in its log, and is cut off`);
      this.#limits.hush(leader, forMs);
    };
    look();
    void this.#add('manual', 0);
  }

  /** Those who would be left can decide, and of the voters that are sound enough stay. */
  #mayRemove(member: SimulatedMember): boolean {
    const { safety } = this.#world;
    return safety.possibleConfigurations().every(({ voters, votersOutgoing }) =>
      [voters, votersOutgoing].every((half) => {
        const left = half.filter((id) => id !== member.id);
        if (half.length === 0 || left.length === half.length) return true;
        return 2 * left.filter((id) => this.#world.isLost(id)).length < left.length;
      }),
    );
  }

  #whom(whom: 'leader' | 'any' | 'learner'): SimulatedMember | undefined {
    const { present } = this.#world;
    if (whom === 'leader') return this.#world.leader();
    if (whom === 'any') return this.#chance.pick(present);
    const learners = this.#learners();
    return present.find(({ id }) => learners.includes(id));
  }

  #learners(): readonly MemberId[] {
    const { configuration } = this.#world.safety;
    return configuration.learners.filter((id) => !isVoter(configuration, id));
  }

  /** The first that there is of each: as of yesterday. With one of when it was alone it would lead on its own. */
  #copyDisks(): void {
    const halves = this.#world.safety
      .possibleConfigurations()
      .flatMap(({ voters, votersOutgoing }) => [voters, votersOutgoing]);
    if (halves.some(({ length }) => length === 1)) return;
    for (const { id, disk } of this.#world.present) {
      if (!this.#oldCopies.has(id) && !disk.volumes.log.isEmpty) this.#oldCopies.set(id, disk.copy());
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.later(ms, resolve));
  }
}
