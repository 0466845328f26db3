import { BalsaError } from '../../src/contract/errors.ts';
import type { Condition, Consistency } from '../../src/contract/kv.ts';
import type { KvService, RequestOptions } from '../../src/replica/index.ts';
import type { Action, Operation } from '../checking/history.ts';
import { Violation } from './checks/violation.ts';
import type { ClientPlan } from './plan.ts';
import type { Chance } from './world/chance.ts';
import type { SimulatedMember } from './world/member.ts';
import type { Scheduler } from './world/scheduler.ts';

/** How a request ended. `refused`: certainly without effect, so that it is no part of the history. */
type Ending<T> =
  | { readonly kind: 'answered'; readonly answer: T }
  | { readonly kind: 'conditionFailed' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unknown' };

/** What a client knows of a key: a value that it saw, and the revision of the write it came from. */
interface Seen {
  readonly value: string;
  readonly modRevision: number;
}

export interface ClientsOptions {
  readonly plan: ClientPlan;
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly members: readonly SimulatedMember[];
  /** The slowest clock of a member, as a share of the world's: an age that it tells may be that much longer. */
  readonly slowestClock: number;
  readonly onEnded: (operation: Operation) => void;
  readonly onViolation: (violation: Violation) => void;
}

/** A refused client asks again after that time, or its loop would only produce refusals. */
const refusedPauseMs = 25;

/**
 * Clients that ask all members, at all levels of consistency, and write down what they were told. Some requests they
 * abandon, and some that were not answered they send again, through another member. Every attempt writes a value of its
 * own, so that a value names one request.
 */
export class Clients {
  readonly history: Operation[] = [];
  readonly #options: ClientsOptions;
  readonly #seen = new Map<string, Seen>();
  /** Writes that have not ended. */
  readonly #open = new Set<Operation>();
  #asked = 0;
  #isResting = false;
  #limits: Pick<ClientPlan, 'timeoutMs' | 'patienceMs'>;
  /** Requests that ended with an answer, by kind; for the account of what a run has done. */
  readonly counts = { answered: 0, refused: 0, unknown: 0 };

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#limits = options.plan;
  }

  start(): void {
    for (let client = 0; client < this.#options.plan.count; client++) void this.#run(client);
  }

  /** From here on nothing is asked but what `ask` is called for, and that with all the patience it takes. */
  rest(): void {
    this.#isResting = true;
    this.#limits = { timeoutMs: 5000, patienceMs: 10_000 };
  }

  /** What has not ended by now is of unknown outcome. */
  close(): void {
    for (const operation of this.#open) this.#keep(operation);
    this.#open.clear();
  }

  /** One request right now, at one member. True if it was answered. */
  async ask(client: number, member: SimulatedMember, kind: 'put' | 'get', key: string): Promise<boolean> {
    this.#asked++;
    if (kind === 'get') return this.#get(client, member, key, { level: 'linearizable' });
    return this.#put(client, member, key, undefined);
  }

  async #run(client: number): Promise<void> {
    const { plan, members } = this.#options;
    const chance = this.#options.chance.of(`client ${client}`);
    await this.#sleep(chance.between(0, 2000));
    while (!this.#isResting && this.#asked < plan.operationsMax) {
      this.#asked++;
      const key = `k${chance.below(plan.keys)}`;
      const member = chance.pick(members);
      const choice = chance.below(20);
      let isAnswered = await this.#askAnything(client, member, key, choice);
      if (!isAnswered && chance.happens(0.3)) {
        this.#asked++;
        isAnswered = await this.#askAnything(client, chance.pick(members), key, choice);
      }
      await this.#sleep(isAnswered ? chance.skewed(0, plan.thinkMaxMs) : refusedPauseMs);
    }
  }

  /** A request of a kind that `choice` (0 to 19) names. */
  #askAnything(client: number, member: SimulatedMember, key: string, choice: number): Promise<boolean> {
    const seen = this.#seen.get(key);
    if (choice < 5) return this.#get(client, member, key, { level: 'linearizable' });
    if (choice < 7) return this.#get(client, member, key, { level: 'stale' });
    if (choice < 9) {
      const maxStalenessMs = [0, 50, 500, 5000][this.#asked % 4] ?? 0;
      return this.#get(client, member, key, { level: 'bounded', maxStalenessMs });
    }
    if (choice < 11) return this.#delete(client, member, key);
    if (choice < 12) return this.#put(client, member, key, 'absent');
    if (choice < 15 && seen !== undefined) return this.#put(client, member, key, seen);
    return this.#put(client, member, key, undefined);
  }

  async #get(client: number, member: SimulatedMember, key: string, consistency: Consistency): Promise<boolean> {
    const startMs = this.#options.scheduler.nowMs;
    const options = { timeoutMs: this.#limits.timeoutMs, consistency };
    const ending = await this.#ask(member, (kv) => kv.get(Buffer.from(key), options));
    if (ending.kind !== 'answered') return false;
    const { kv, header } = ending.answer;
    const value = kv === undefined ? null : Buffer.from(kv.value).toString();
    if (kv !== undefined && value !== null) this.#seen.set(key, { value, modRevision: kv.modRevision });
    const stalenessMs = this.#stalenessOf(consistency, header.stalenessMs);
    const action: Action = { kind: 'get', value };
    const told = { client, key, action, startMs: startMs - stalenessMs, revision: header.revision };
    this.#note(kv === undefined ? told : { ...told, modRevision: kv.modRevision });
    return true;
  }

  /** A state that is that old is as good as an answer to a question asked so much earlier. */
  #stalenessOf(consistency: Consistency, toldMs: number | undefined): number {
    const { scheduler, slowestClock, onViolation } = this.#options;
    if (consistency.level === 'linearizable' && toldMs !== undefined) {
      onViolation(new Violation('staleness bound', `a linearizable read says that it may be ${toldMs} ms old`));
    }
    if (consistency.level === 'stale' && toldMs === undefined) {
      onViolation(new Violation('staleness bound', 'a stale read does not say how old it is'));
    }
    if (consistency.level === 'bounded' && toldMs !== undefined && toldMs > consistency.maxStalenessMs) {
      const what = `a read bounded by ${consistency.maxStalenessMs} ms says that it may be ${toldMs} ms old`;
      onViolation(new Violation('staleness bound', what));
    }
    // Before the first request there is nothing that could be missed.
    return Math.min((toldMs ?? 0) / slowestClock, scheduler.nowMs + 1);
  }

  async #put(
    client: number,
    member: SimulatedMember,
    key: string,
    expected: Seen | 'absent' | undefined,
  ): Promise<boolean> {
    const value = `${client}.${this.#asked}`;
    const action = (done: boolean): Action => {
      if (expected === undefined) return { kind: 'put', value };
      if (expected === 'absent') return { kind: 'create', value, done };
      return { kind: 'swap', expected: expected.value, value, done };
    };
    const request = {
      key: Buffer.from(key),
      value: Buffer.from(value),
      condition: conditionOf(expected),
      previous: false,
    };
    return this.#write({ client, key, member, action }, async (kv, options) => {
      const { modRevision } = await kv.put(request, options);
      this.#seen.set(key, { value, modRevision });
      return { done: true, revision: modRevision };
    });
  }

  #delete(client: number, member: SimulatedMember, key: string): Promise<boolean> {
    const action = (done: boolean): Action => ({ kind: 'delete', done });
    const request = { key: Buffer.from(key), condition: undefined, previous: false };
    return this.#write({ client, key, member, action }, async (kv, options) => {
      const { deleted, header } = await kv.delete(request, options);
      return { done: deleted > 0, revision: header.revision };
    });
  }

  async #write(
    write: { client: number; key: string; member: SimulatedMember; action: (done: boolean) => Action },
    request: (kv: KvService, options: RequestOptions) => Promise<{ readonly done: boolean; readonly revision: number }>,
  ): Promise<boolean> {
    const { client, key, member, action } = write;
    const startMs = this.#options.scheduler.nowMs;
    const open: Operation = { client, key, action: action(true), startMs, endMs: Number.POSITIVE_INFINITY };
    this.#open.add(open);
    const ending = await this.#ask(member, (kv) => request(kv, { timeoutMs: this.#limits.timeoutMs }));
    this.#open.delete(open);
    if (ending.kind === 'unknown') this.#keep(open);
    if (ending.kind === 'conditionFailed') this.#note({ client, key, action: action(false), startMs });
    if (ending.kind === 'answered') {
      const { done, revision } = ending.answer;
      this.#note({ client, key, action: action(done), startMs, revision });
    }
    return ending.kind === 'answered' || ending.kind === 'conditionFailed';
  }

  #note(operation: Omit<Operation, 'endMs'>): void {
    this.#keep({ ...operation, endMs: this.#options.scheduler.nowMs });
  }

  #keep(operation: Operation): void {
    this.history.push(operation);
    this.#options.onEnded(operation);
  }

  /** Asks the member, unless it is down; the member may be gone, or the client's patience, before the answer comes. */
  #ask<T>(member: SimulatedMember, request: (kv: KvService) => Promise<T>): Promise<Ending<T>> {
    const { running } = member;
    const { scheduler } = this.#options;
    if (running === undefined) return Promise.resolve(this.#count<T>({ kind: 'refused' }));
    return new Promise((resolve) => {
      let isOpen = true;
      const end = (ending: Ending<T>): void => {
        if (!isOpen) return;
        isOpen = false;
        forget();
        cancel();
        resolve(this.#count(ending));
      };
      const forget = member.whenGone(() => end({ kind: 'unknown' }));
      const cancel = scheduler.after(this.#limits.patienceMs, undefined, () => end({ kind: 'unknown' }));
      // A process that is stopped does not take the request before it goes on.
      scheduler.after(0, running.process, () => {
        request(running.kv).then(
          (answer) => end({ kind: 'answered', answer }),
          (reason: unknown) => end(endingOf(reason)),
        );
      });
    });
  }

  #count<T>(ending: Ending<T>): Ending<T> {
    if (ending.kind === 'refused') this.counts.refused++;
    else if (ending.kind === 'unknown') this.counts.unknown++;
    else this.counts.answered++;
    return ending;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.scheduler.after(ms, undefined, resolve));
  }
}

function endingOf(reason: unknown): Ending<never> {
  const error = BalsaError.from(reason);
  if (error.code === 'precondition_failed') return { kind: 'conditionFailed' };
  return { kind: error.kind.definite ? 'refused' : 'unknown' };
}

function conditionOf(expected: Seen | 'absent' | undefined): Condition | undefined {
  if (expected === undefined) return undefined;
  return expected === 'absent' ? { kind: 'absent' } : { kind: 'modRevisionIn', revisions: [expected.modRevision] };
}
