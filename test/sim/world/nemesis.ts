import type { Damage, Fault } from '../plan.ts';
import { Changes } from './changes.ts';
import { playFigure8 } from './figure-8.ts';
import { currentSoftware, type SimulatedMember } from './member.ts';
import type { World } from './world.ts';

/** How long it waits for calm before a disk comes back as an older copy, and for the cluster to notice that. */
const patienceMs = 15_000;

/**
 * Lets the faults of the plan happen, and no others. It keeps to what Balsa promises to bear: any number of crashes,
 * cuts and hung disks at once; disks that lose what they held in a minority of the members at a time; and a whole disk
 * that is replaced by an older copy only while the leader that it had promised something to is there to notice.
 */
export class Nemesis {
  readonly #world: World;
  /** What ends the faults that are under way, and whom each of them concerns: one member, or the network. */
  readonly #endings = new Map<() => void, SimulatedMember | undefined>();
  #isOver = false;
  #isQuiet = false;
  readonly #changes: Changes;
  /** Faults that happened, by kind. */
  readonly counts = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
    this.#changes = new Changes(world, {
      isOver: () => this.#isOver || this.#isQuiet,
      mayBeLost: (member) => this.#mayBeLost(member),
      crash: (member, downMs) => this.#crash(member, downMs, undefined),
      hush: (member, forMs) => {
        world.network.losePost(member.id);
        this.#hush(member, forMs);
      },
    });
    for (const fault of world.plan.faults) {
      world.later(fault.atMs, () => {
        if (!this.#isOver && !this.#isQuiet) this.#strike(fault);
      });
    }
  }

  /** No new faults from here on; those under way stay. */
  end(): void {
    this.#isOver = true;
  }

  /** These members run, at their own pace, on disks that work, and reach each other. */
  heal(members: readonly SimulatedMember[]): void {
    this.#world.network.calm(members.map(({ id }) => id));
    for (const [end, member] of [...this.#endings]) if (member !== undefined && members.includes(member)) end();
    for (const member of members) {
      member.disk.repair();
      member.start();
    }
  }

  #strike(fault: Fault): void {
    const world = this.#world;
    this.#count(fault);
    switch (fault.kind) {
      case 'crash':
        this.#crash(world.member(fault.member), fault.downMs, fault.again);
        return;
      case 'crashAll':
        world.tell('everything loses power');
        for (const [i, member] of world.present.entries()) this.#crash(member, fault.downMs[i] ?? 0, undefined);
        return;
      case 'stop':
        this.#stop(world.member(fault.member), fault.downMs);
        return;
      case 'pause':
      case 'slow':
      case 'clockRate':
      case 'clockJump':
        this.#strikeProcess(fault, world.member(fault.member));
        return;
      case 'cut':
        this.#cutLinks(fault.links, fault.forMs);
        return;
      case 'isolateLeader':
        this.#isolateLeader(fault.direction, fault.forMs);
        return;
      case 'flap':
        this.#flap(world.member(fault.member), fault.everyMs, fault.times);
        return;
      case 'weather':
        world.tell(`the network loses ${fault.weather.loss}, delays up to ${fault.weather.delayMaxMs} ms`);
        this.#during(undefined, fault.forMs, 'the network is as before', world.network.worsen(fault.weather));
        return;
      case 'diskSpeed':
      case 'diskHang':
      case 'diskFull':
      case 'writeFails':
        this.#strikeDisk(fault, world.member(fault.member));
        return;
      case 'damage':
        this.#damage(world.member(fault.member), fault.damage, fault.downMs);
        return;
      case 'olderCopy':
        this.#takeCopy(world.member(fault.member), fault.ageMs, fault.downMs);
        return;
      case 'latePost':
        this.#delayPost(fault);
        return;
      case 'figure8':
        this.#playFigure8();
        return;
      case 'amnesia':
        this.#forget(fault);
        return;
      case 'addMember':
      case 'promoteLearner':
      case 'removeMember':
      case 'replaceMember':
      case 'updateMember':
      case 'moveLeader':
      case 'cutTransfer':
      case 'loseChange':
        this.#changes.make(fault);
        return;
      case 'upgrade': {
        const member = world.members[fault.member];
        if (member === undefined || !world.present.includes(member)) return;
        world.tell(`${member.id} is upgraded`);
        member.software = currentSoftware;
        if (fault.how === 'stop') this.#stop(member, fault.downMs);
        else this.#crash(member, fault.downMs, undefined);
        return;
      }
      case 'backup':
        world.backups.take(world.member(fault.member));
        return;
      case 'transfer':
        void world.leader()?.running?.replica.transferLeadership();
        world.tell('leadership is handed over');
        return;
    }
  }

  #strikeProcess(
    fault: Extract<Fault, { kind: 'pause' | 'slow' | 'clockRate' | 'clockJump' }>,
    member: SimulatedMember,
  ): void {
    const { process } = member;
    if (process === undefined) return;
    const { id } = member;
    switch (fault.kind) {
      case 'pause':
        process.pause();
        this.#world.tell(`${id} is stopped`);
        this.#during(member, fault.forMs, `${id} goes on`, () => process.resume());
        return;
      case 'slow':
        process.slowDown(fault.turnMs);
        this.#world.tell(`${id} is slow: ${fault.turnMs} ms a turn`);
        this.#during(member, fault.forMs, `${id} is quick again`, () => process.slowDown());
        return;
      case 'clockRate':
        process.setRate(fault.rate);
        this.#world.tell(`the clock of ${id} runs at ${fault.rate}`);
        this.#during(member, fault.forMs, `the clock of ${id} is right again`, () => process.setRate(1));
        return;
      case 'clockJump':
        process.jump(fault.byMs);
        this.#world.tell(`the clock of ${id} jumps ahead by ${fault.byMs} ms`);
        return;
    }
  }

  #strikeDisk(
    fault: Extract<Fault, { kind: 'diskSpeed' | 'diskHang' | 'diskFull' | 'writeFails' }>,
    member: SimulatedMember,
  ): void {
    const { id, disk } = member;
    switch (fault.kind) {
      case 'diskSpeed':
        disk.setSpeed(fault.speed);
        this.#world.tell(`the disk of ${id} takes up to ${fault.speed.maxMs} ms`);
        this.#during(member, fault.forMs, `the disk of ${id} is quick again`, () =>
          disk.setSpeed(this.#world.plan.diskSpeed),
        );
        return;
      case 'diskHang':
        this.#world.tell(`the disk of ${id} hangs`);
        this.#during(member, fault.forMs, `the disk of ${id} works again`, disk.hang());
        return;
      case 'diskFull':
        disk.setFull(true);
        this.#world.tell(`the disk of ${id} is full`);
        this.#during(member, fault.forMs, `the disk of ${id} has space again`, () => disk.setFull(false));
        return;
      case 'writeFails':
        disk.failNext(fault.what);
        this.#world.tell(`the next write to the ${fault.what} of ${id} fails`);
        return;
    }
  }

  #playFigure8(): void {
    const world = this.#world;
    void playFigure8({
      world,
      isOver: () => this.#isOver || this.#isQuiet,
      crash: (member, downMs) => {
        world.network.losePost(member.id);
        this.#crash(member, downMs, undefined);
      },
      hush: (member, forMs) => {
        world.network.losePost(member.id);
        return this.#hush(member, forMs);
      },
    });
  }

  #hush(member: SimulatedMember, forMs: number): () => void {
    const others = this.#world.present.filter((other) => other !== member);
    return this.#cut(
      others.map((other) => [member, other]),
      forMs,
    );
  }

  #forget({ lagMs, healMs, downMs }: Extract<Fault, { kind: 'amnesia' }>): void {
    const world = this.#world;
    const leader = world.leader();
    if (leader === undefined) return;
    const others = world.chance
      .of(`amnesia ${world.scheduler.count}`)
      .shuffled(world.present.filter((one) => one !== leader));
    const laggards = others.slice(0, Math.floor((world.present.length - 1) / 2));
    const member = others.at(-1);
    if (member === undefined || laggards.includes(member)) return;
    world.tell(`${laggards.map(({ id }) => id).join(' ')} fall behind`);
    const rest = world.present.filter((one) => !laggards.includes(one));
    this.#cut(
      laggards.flatMap((laggard) => rest.flatMap((one) => [[laggard, one] as const, [one, laggard] as const])),
      lagMs,
    );
    world.later(lagMs, () => {
      if (this.#isOver || this.#isQuiet) return;
      this.#damage(member, 'log gone', 1);
      world.later(healMs, () => {
        if (!this.#isOver && !this.#isQuiet) this.#crash(leader, downMs, undefined);
      });
    });
  }

  #crash(member: SimulatedMember, downMs: number, again: number | undefined): void {
    member.crash();
    this.#world.tell(`${member.id} crashes`);
    this.#startLater(member, downMs);
    if (again === undefined) return;
    this.#world.later(downMs + again, () => {
      if (this.#isOver || this.#isQuiet) return;
      member.crash();
      this.#world.tell(`${member.id} crashes while it starts`);
      this.#startLater(member, downMs / 2);
    });
  }

  #stop(member: SimulatedMember, downMs: number): void {
    this.#world.tell(`${member.id} is asked to stop`);
    void member.stop().then(() => this.#startLater(member, downMs));
    // A member that hangs is killed, as a supervisor does.
    this.#world.later(5000, () => {
      if (member.running?.replica.isStopping === true) this.#crash(member, downMs, undefined);
    });
  }

  /** A member that stays down belongs to the broken rest of the liveness phase. */
  #startLater(member: SimulatedMember, downMs: number): void {
    this.#world.later(downMs, () => {
      if (!this.#isOver || this.#world.supervised.has(member)) member.start();
    });
  }

  #cutLinks(numbers: readonly (readonly [number, number])[], forMs: number): void {
    const world = this.#world;
    const links = numbers
      .map(([from, to]) => [world.member(from), world.member(to)] as const)
      .filter(([from, to]) => from !== to);
    world.tell(`cut: ${links.map(([from, to]) => `${from.id}→${to.id}`).join(' ')}`);
    this.#cut(links, forMs);
  }

  /** The returned function mends it early. */
  #cut(links: readonly (readonly [SimulatedMember, SimulatedMember])[], forMs: number): () => void {
    const mends = links.map(([from, to]) => this.#world.network.cut(from.id, to.id));
    return this.#during(undefined, forMs, 'a cut is mended', () => {
      for (const mend of mends) mend();
    });
  }

  #isolateLeader(direction: 'out' | 'in' | 'both', forMs: number): void {
    const leader = this.#world.leader();
    if (leader === undefined) return;
    this.#world.tell(`the leader ${leader.id} is cut off (${direction})`);
    const others = this.#world.present.filter((member) => member !== leader);
    this.#cut(
      others.flatMap((other) => [
        ...(direction === 'in' ? [] : [[leader, other] as const]),
        ...(direction === 'out' ? [] : [[other, leader] as const]),
      ]),
      forMs,
    );
  }

  #delayPost({ sentMs, forMs }: Extract<Fault, { kind: 'latePost' }>): void {
    const leader = this.#world.leader();
    if (leader === undefined) return;
    const late = { loss: 0, duplication: 0, delayMinMs: 1000, delayMaxMs: forMs };
    const end = this.#world.network.worsen(late, leader.id);
    this.#world.tell(`what is sent to ${leader.id} arrives late`);
    this.#during(undefined, sentMs, 'the network is as before', () => {
      end();
      if (this.#world.leader() === leader) this.#isolateLeader('both', forMs);
    });
  }

  #flap(member: SimulatedMember, everyMs: number, times: number): void {
    this.#world.tell(`the links of ${member.id} flap`);
    const others = this.#world.present.filter((other) => other !== member);
    const links = others.flatMap((other) => [[member, other] as const, [other, member] as const]);
    for (let i = 0; i < times; i++) {
      this.#world.later(2 * i * everyMs, () => {
        if (!this.#isOver && !this.#isQuiet) this.#cut(links, everyMs);
      });
    }
  }

  #damage(member: SimulatedMember, damage: Damage, downMs: number): void {
    const mayLoseMore = this.#mayLoseMore(member, damage);
    this.#crash(member, downMs, undefined);
    if (!mayLoseMore) return;
    this.#world.tell(`the disk of ${member.id} is damaged: ${damage}`);
    this.#damageDisk(member, damage);
  }

  /** What is derived from the log may be lost anywhere; of the log itself only a minority. */
  #mayLoseMore(member: SimulatedMember, damage: Damage): boolean {
    // As long as the log has its beginning.
    if (damage.startsWith('data') && this.#world.plan.snapshotCount >= 10_000 && member.durable.baseIndex === 0)
      return true;
    const { receipts, areReceiptsDamaged } = member.disk;
    // Log and receipts at once are more than a member can get over: it refuses to start.
    if (damage === 'receipt gone' ? member.isDamaged : areReceiptsDamaged || receipts.length === 0) return false;
    return this.#mayBeLost(member);
  }

  /** What it holds, and what it has promised: those who decide are still a majority without it. */
  #mayBeLost(member: SimulatedMember): boolean {
    const world = this.#world;
    if (this.#changes.mayBeRemoving) return false;
    return world.safety.possibleConfigurations().every(({ voters, votersOutgoing }) =>
      [voters, votersOutgoing].every((half) => {
        if (half.length === 0) return true;
        // A learner may be a voter with the next entry.
        const deciding = new Set([...half, member.id]);
        const lost = [...deciding].filter((id) => id === member.id || world.isLost(id)).length;
        return 2 * lost < deciding.size;
      }),
    );
  }

  #damageDisk(member: SimulatedMember, damage: Damage): void {
    const { disk, id, durable } = member;
    const { log, data } = disk.volumes;
    const chance = this.#world.chance.of(`damage ${id} ${this.#world.scheduler.count}`);
    // A log without its beginning cannot build the store again, and is given up with it.
    if ((!damage.startsWith('data') || member.durable.baseIndex > 0) && !log.isEmpty) member.isDamaged = true;
    switch (damage) {
      case 'log tail':
        this.#shortenLog(member, 1 + chance.below(4));
        break;
      case 'log middle':
        if (log.journalBatches > 1) log.damageMiddle(chance);
        break;
      case 'log bit':
        if (!log.isEmpty) log.flipBit(chance);
        break;
      case 'log gone':
        log.wipe();
        break;
      case 'log older':
        this.#shortenLog(member, log.journalBatches - 1);
        break;
      case 'data tail':
        data.dropTail(1 + chance.below(4));
        break;
      case 'data middle':
        if (data.journalBatches > 1) data.damageMiddle(chance);
        break;
      case 'data gone':
        data.wipe();
        break;
      case 'receipt gone':
        disk.areReceiptsDamaged = disk.receipts.length > 0;
        break;
    }
    durable.reload(log.content());
  }

  /** A loss behind the newest receipt alone looks like a write that the crash cut off; see storage/README.md. */
  #shortenLog({ disk, durable }: SimulatedMember, batches: number): void {
    const { log } = disk.volumes;
    const promised = disk.receipts.at(-1)?.sequence ?? 0;
    log.dropTail(batches);
    for (durable.reload(log.content()); (durable.sequence ?? 0) >= promised; durable.reload(log.content())) {
      if (log.journalBatches > 0) log.dropTail(1);
      else log.wipe();
    }
  }

  /** See this class; until the cluster has got over it no other faults happen. */
  #takeCopy(member: SimulatedMember, ageMs: number, downMs: number): void {
    const copy = member.disk.copy();
    const { configurations } = this.#world.safety;
    if (copy.log.isEmpty || member.isDamaged || member.isSuspect) return;
    this.#world.later(ageMs, () => {
      if (this.#isOver || this.#isQuiet || !this.#mayLoseMore(member, 'log gone')) return;
      // With an older configuration it could decide together with others that were removed, and come back as well.
      if (this.#world.safety.configurations !== configurations) return;
      this.#isQuiet = true;
      this.heal(this.#world.present);
      this.#when(
        () => this.#isCalm(member),
        () => {
          member.crash();
          this.#world.tell(`${member.id} crashes, and its disk comes back as it was ${Math.round(ageMs)} ms ago`);
          member.disk.restore(copy);
          member.durable.reload(member.disk.volumes.log.content());
          member.isDamaged = true;
          this.#world.later(Math.min(downMs, 300), () => member.start());
          this.#when(
            () => !member.isDamaged,
            () => undefined,
          );
        },
      );
    });
  }

  /** Everybody is up, led, and on a par with the leader, which is another member. */
  #isCalm(member: SimulatedMember): boolean {
    const leader = this.#world.leader();
    if (leader === undefined || leader === member) return false;
    return this.#world.present.every(
      ({ running, durable, isDamaged, isSuspect }) =>
        running?.replica.core.leader === leader.id &&
        !isDamaged &&
        !isSuspect &&
        durable.lastIndex === leader.durable.lastIndex,
    );
  }

  /** Goes on once the condition holds, or ends the quiet time if it does not for long. */
  #when(condition: () => boolean, go: () => void, untilMs = this.#world.scheduler.nowMs + patienceMs): void {
    if (condition()) {
      go();
      if (!this.#world.present.some(({ isDamaged }) => isDamaged)) this.#endQuiet();
    } else if (this.#world.scheduler.nowMs < untilMs) {
      this.#world.later(50, () => this.#when(condition, go, untilMs));
    } else {
      this.#endQuiet();
    }
  }

  #endQuiet(): void {
    this.#isQuiet = false;
    // What is healed at the end of a run stays so.
    if (!this.#isOver) this.#world.network.calm([]);
  }

  #during(member: SimulatedMember | undefined, forMs: number, ending: string, end: () => void): () => void {
    const endOnce = (): void => {
      if (!this.#endings.delete(endOnce)) return;
      end();
      this.#world.tell(ending);
    };
    this.#endings.set(endOnce, member);
    this.#world.later(forMs, () => {
      // What is broken at the end of the safety phase stays so.
      if (!this.#isOver) endOnce();
    });
    return endOnce;
  }

  #count({ kind }: Fault): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }
}
