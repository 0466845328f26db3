import { BalsaError } from '../../../src/contract/errors.ts';
import type { Promotion } from '../../../src/contract/members.ts';
import type { MemberRecord } from '../../../src/mvcc/index.ts';
import type { MemberId } from '../../../src/raft/index.ts';
import type { SafetyWatch } from '../checks/safety.ts';
import { Violation } from '../checks/violation.ts';
import type { Chance } from './chance.ts';
import type { Running, SimulatedMember } from './member.ts';
import { peerUrlOf } from './peer-url.ts';
import type { Scheduler } from './scheduler.ts';

/** How a change ended. `unknown`: it may still be made. */
export type ChangeOutcome = 'done' | 'refused' | 'unknown';

const timeoutMs = 5000;
const patienceMs = 10_000;
const lookAgainMs = 200;
/** What was asked and not answered is over by then: nobody is stopped that long, or takes that long to ask. */
const forgottenMs = 20_000;

/** What an operator sees of the world. */
export interface OperatedWorld {
  readonly plan: { readonly members: number };
  readonly chance: Chance;
  readonly scheduler: Scheduler;
  readonly present: readonly SimulatedMember[];
  readonly safety: Pick<SafetyWatch, 'configuration' | 'isRemoved'>;
  tell(text: string): void;
  later(delayMs: number, run: () => void): void;
}

/** Whoever adds and removes members: through any of them, and never sure of having been heard. */
export class Operator {
  readonly #world: OperatedWorld;
  readonly #chance: Chance;
  readonly #open = new Set<object>();
  #unknownUntilMs = 0;
  #lastNumber: number;
  /** What was answered, and has to hold to the end. */
  readonly #added = new Set<MemberId>();
  readonly #removed = new Set<MemberId>();
  readonly #promoted = new Set<MemberId>();
  readonly #refused = new Set<string>();

  constructor(world: OperatedWorld) {
    this.#world = world;
    this.#chance = world.chance.of('operator');
    this.#lastNumber = world.plan.members;
  }

  /** A removal may still be made that was asked for. */
  get mayBeRemoving(): boolean {
    return this.#open.size > 0 || this.#world.scheduler.nowMs < this.#unknownUntilMs;
  }

  /** The members as the one says that is furthest ahead. */
  table(): readonly MemberRecord[] {
    const stores = this.#world.present.flatMap(({ running }) => (running === undefined ? [] : [running.state.store]));
    const newest = stores.reduce((a, b) => (b.appliedIndex > a.appliedIndex ? b : a), stores[0] as (typeof stores)[0]);
    return newest?.members ?? [];
  }

  /** The id, as soon as it is known; undefined if nothing came of it. */
  async add(promote: Promotion): Promise<{ readonly id: MemberId; readonly name: string } | undefined> {
    const name = `node${++this.#lastNumber}`;
    this.#world.tell(`${name} is to be added (${promote})`);
    const outcome = await this.#ask((membership, options) =>
      membership.add({ name, peerUrls: [peerUrlOf(name)], promote }, options),
    );
    this.#world.tell(`${name} to be added: ${outcome}`);
    if (outcome === 'refused') {
      this.#refused.add(name);
      return undefined;
    }
    const id = await this.#idOf(name);
    if (outcome === 'done' && id !== undefined) this.#added.add(id);
    return id === undefined ? undefined : { id, name };
  }

  async promote(id: MemberId): Promise<ChangeOutcome> {
    const outcome = await this.#ask((membership, options) => membership.promote(id, options));
    this.#world.tell(`${id} to be promoted: ${outcome}`);
    if (outcome === 'done') this.#promoted.add(id);
    return outcome;
  }

  async remove(id: MemberId): Promise<ChangeOutcome> {
    this.#world.tell(`${id} is to be removed`);
    const asked = {};
    this.#open.add(asked);
    const outcome = await this.#ask((membership, options) => membership.remove(id, options));
    this.#open.delete(asked);
    this.#world.tell(`${id} to be removed: ${outcome}`);
    if (outcome === 'done') this.#removed.add(id);
    if (outcome === 'unknown') this.#unknownUntilMs = this.#world.scheduler.nowMs + forgottenMs;
    return outcome;
  }

  async update(member: SimulatedMember, number: number): Promise<void> {
    const url = peerUrlOf(`${member.name}-${number}`);
    const outcome = await this.#ask((membership, options) => membership.update(member.id, [url], options));
    this.#world.tell(`${member.id} to be at ${url}: ${outcome}`);
  }

  async moveLeader(to: MemberId): Promise<void> {
    const outcome = await this.#ask((membership, options) => membership.moveLeader(to, options));
    this.#world.tell(`leadership to be given to ${to}: ${outcome}`);
  }

  /** What was answered stays so. Throws a `Violation`. */
  check(): void {
    const table = this.table();
    const fail = (id: MemberId, was: string, is: string): never => {
      throw new Violation('membership', `${id} was ${was}, and is ${is}`);
    };
    const { safety } = this.#world;
    for (const { id, name } of table) if (this.#refused.has(name)) fail(id, 'refused to be added', 'a member');
    for (const id of this.#added) {
      if (!table.some((member) => member.id === id) && !safety.isRemoved(id)) fail(id, 'added', 'no member');
    }
    for (const id of this.#removed) if (!safety.isRemoved(id)) fail(id, 'removed', 'a member');
    for (const id of this.#promoted) {
      if (!safety.configuration.voters.includes(id) && !safety.isRemoved(id)) fail(id, 'promoted', 'no voter');
    }
  }

  /** A request whose answer was lost: is it in the list of members? */
  async #idOf(name: string): Promise<MemberId | undefined> {
    const untilMs = this.#world.scheduler.nowMs + patienceMs;
    while (this.#world.scheduler.nowMs < untilMs) {
      const record = this.table().find((member) => member.name === name);
      if (record !== undefined) return record.id;
      await this.#sleep(lookAgainMs);
    }
    return undefined;
  }

  /** At any member that is up. */
  #ask(
    request: (membership: Running['membership'], options: { timeoutMs: number }) => Promise<unknown>,
  ): Promise<ChangeOutcome> {
    const up = this.#world.present.filter(({ running }) => running !== undefined);
    if (up.length === 0) return Promise.resolve('refused');
    const member = this.#chance.pick(up);
    const { running } = member;
    if (running === undefined) return Promise.resolve('refused');
    return new Promise((resolve) => {
      const end = (outcome: ChangeOutcome): void => {
        forget();
        cancel();
        resolve(outcome);
      };
      const forget = member.whenGone(() => end('unknown'));
      const cancel = this.#world.scheduler.after(patienceMs, undefined, () => end('unknown'));
      this.#world.scheduler.after(0, running.process, () => {
        request(running.membership, { timeoutMs }).then(
          () => end('done'),
          (reason: unknown) => end(outcomeOf(BalsaError.from(reason))),
        );
      });
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.later(ms, resolve));
  }
}

function outcomeOf({ kind }: BalsaError): ChangeOutcome {
  return kind.definite ? 'refused' : 'unknown';
}
