import { BalsaError } from '../../src/contract/errors.ts';
import type { LeaseId } from '../../src/contract/lease.ts';
import type { LeaseService } from '../../src/replica/index.ts';
import { checkLeases, type LeaseLife, type Renewal } from '../model/lease-checker.ts';
import type { ModelCheck } from './checks/model-check.ts';
import { Violation } from './checks/violation.ts';
import type { Plan } from './plan.ts';
import type { Chance } from './world/chance.ts';
import type { SimulatedMember } from './world/member.ts';
import type { Scheduler } from './world/scheduler.ts';

export interface LeaseClientsOptions {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly members: readonly SimulatedMember[];
  readonly model: ModelCheck;
}

/** By how much a member's clock may run ahead of the world's; see the faults `clockRate`. */
const clockAhead = 0.25;
/** A clock that jumps is taken at its word for two ticks at most. */
const jumpMs = 300;
const ttlMaxSeconds = 6;

/** Clients that hold leases: they renew them in time, or too late, or stop, and write down what they were told. */
export class LeaseClients {
  readonly #options: LeaseClientsOptions;
  readonly #lives: { readonly id: LeaseId; readonly renewals: Renewal[] }[] = [];
  #isResting = false;
  counts = { granted: 0, renewed: 0 };

  constructor(options: LeaseClientsOptions) {
    this.#options = options;
  }

  start(): void {
    for (let client = 0; client < this.#options.plan.store.keepers; client++) void this.#run(client);
  }

  rest(): void {
    this.#isResting = true;
  }

  /** Throws a `Violation` if a lease ended before its time. */
  check(): void {
    const { model, plan } = this.#options;
    const leases = this.#lives.map(
      ({ id, renewals }): LeaseLife => ({
        id,
        renewals,
        revokedMs: undefined,
        goneMs: model.leaseEndsMs.get(id),
        seenAliveMs: [],
      }),
    );
    const history = { leases, leaderChangesMs: [], observedToMs: 0 };
    const problem = checkLeases(history, {
      lateMs: Number.POSITIVE_INFINITY,
      perLeaderChange: 'fullTtl',
      driftMs: driftOf(plan),
    });
    if (problem !== undefined) throw new Violation('lease', problem);
  }

  async #run(client: number): Promise<void> {
    const { scheduler } = this.#options;
    const chance = this.#options.chance.of(`keeper ${client}`);
    while (!this.#isResting) {
      await this.#sleep(chance.between(0, 3000));
      const ttl = 2 + chance.below(ttlMaxSeconds - 1);
      const startMs = scheduler.nowMs;
      const granted = await this.#ask(chance.pick(this.#options.members), (leases) =>
        leases.grant({ id: undefined, ttl }, { timeoutMs: 2000 }),
      );
      if (granted === undefined) continue;
      const { id } = granted;
      const renewals = [{ startMs, endMs: scheduler.nowMs, ttl: granted.ttl, isAcknowledged: true }];
      this.#lives.push({ id, renewals });
      this.counts.granted++;
      await this.#keep(id, granted.ttl, renewals, chance);
    }
  }

  /** Until it is told that the lease is gone, or has had enough. */
  async #keep(id: LeaseId, ttl: number, renewals: Renewal[], chance: Chance): Promise<void> {
    const { scheduler, members } = this.#options;
    const times = chance.below(8);
    for (let i = 0; i < times && !this.#isResting; i++) {
      await this.#sleep(chance.between(0, chance.happens(0.2) ? 1200 * ttl : 500 * ttl));
      const startMs = scheduler.nowMs;
      let isGone = false;
      const renewed = await this.#ask(
        chance.pick(members),
        (leases) => leases.keepAlive(id, { timeoutMs: 1000 }),
        (error) => {
          isGone = error.code === 'lease_not_found';
        },
      );
      renewals.push({ startMs, endMs: scheduler.nowMs, ttl, isAcknowledged: renewed !== undefined });
      if (renewed !== undefined) this.counts.renewed++;
      if (isGone) return;
    }
  }

  #ask<T>(
    member: SimulatedMember,
    request: (leases: LeaseService) => Promise<T>,
    onError: (error: BalsaError) => void = () => {},
  ): Promise<T | undefined> {
    const { running } = member;
    if (running === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const forget = member.whenGone(() => resolve(undefined));
      const end = (answer: T | undefined): void => {
        forget();
        resolve(answer);
      };
      this.#options.scheduler.after(0, running.process, () => {
        request(running.leases).then(end, (reason: unknown) => {
          onError(BalsaError.from(reason));
          end(undefined);
        });
      });
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.scheduler.after(ms, undefined, resolve));
  }
}

/** How much too early a lease may end because a leader's clock is wrong, which nobody can notice. */
function driftOf({ faults }: Plan): number {
  const isFast = faults.some((fault) => fault.kind === 'clockRate' && fault.rate > 1);
  const jumps = faults.filter(({ kind }) => kind === 'clockJump').length;
  return (isFast ? 1000 * ttlMaxSeconds * clockAhead : 0) + jumps * jumpMs;
}
