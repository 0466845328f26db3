import { BalsaError } from '../../src/contract/errors.ts';
import type { RangeRequest } from '../../src/contract/kv.ts';
import type { TxnRequest } from '../../src/contract/txn.ts';
import type { WriteOptions } from '../../src/replica/index.ts';
import type { Write } from '../model/outcome.ts';
import { printable } from '../model/printable.ts';
import { defaultKnobs, type HistoryKnobs, RandomHistory, type Step } from '../model/random-history.ts';
import type { ModelCheck } from './checks/model-check.ts';
import { Violation } from './checks/violation.ts';
import type { Plan } from './plan.ts';
import type { Chance } from './world/chance.ts';
import type { Running, SimulatedMember } from './world/member.ts';
import type { Scheduler } from './world/scheduler.ts';

export interface StoreClientsOptions {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly members: readonly SimulatedMember[];
  readonly model: ModelCheck;
  readonly onViolation: (violation: Violation) => void;
}

/** Keys of their own: the other clients' are searched for a linearization, which knows single keys only. */
const keys = ['s', 's/', 's/a', 's/a\0', 's/b', 's/\xff'].map((key) => Uint8Array.from(Buffer.from(key, 'latin1')));

const knobs: Partial<HistoryKnobs> = {
  keys,
  weights: { ...defaultKnobs.weights, write: 70, get: 0, range: 30, events: 0, leaseCheckpoint: 0, deleteRange: 0 },
  badTxnPercent: 0,
  badRevisionPercent: 5,
  tokenPercent: 30,
  txnNestingMax: 2,
};

const attemptsMax = 6;

/** Clients of all that the store can do: transactions, ranges of the past, leases, compaction, and writes with tokens. */
export class StoreClients {
  readonly #options: StoreClientsOptions;
  /** What was told to whoever sent a token. */
  readonly #told = new Map<string, string>();
  #asked = 0;
  #isResting = false;
  counts = { answered: 0, repeated: 0 };

  constructor(options: StoreClientsOptions) {
    this.#options = options;
  }

  start(): void {
    for (let client = 0; client < this.#options.plan.store.clients; client++) void this.#run(client);
  }

  rest(): void {
    this.#isResting = true;
  }

  async #run(client: number): Promise<void> {
    const { plan, model, members } = this.#options;
    const chance = this.#options.chance.of(`store client ${client}`);
    const history = new RandomHistory(chance, knobs);
    await this.#sleep(chance.between(0, 2000));
    while (!this.#isResting && this.#asked < plan.store.operationsMax) {
      this.#asked++;
      const step = history.next(model.model);
      if (step.kind === 'write' && step.write.kind === 'txn' && reachesOthers(step.write.txn)) continue;
      const token = step.kind === 'write' && step.token !== undefined ? `${client} ${step.token}` : undefined;
      await this.#insist(step, token, chance, () => chance.pick(members));
      await this.#sleep(chance.skewed(0, plan.clients.thinkMaxMs));
    }
  }

  /** A write with a token may be sent until somebody answers: it is done once. Anything else is asked once. */
  async #insist(step: Step, token: string | undefined, chance: Chance, member: () => SimulatedMember): Promise<void> {
    for (let attempt = 0; attempt < (token === undefined ? 1 : attemptsMax) && !this.#isResting; attempt++) {
      if (attempt > 0) this.counts.repeated++;
      if (await this.#ask(step, token, member())) return;
      await this.#sleep(chance.skewed(10, 1000));
    }
  }

  /** True if it was answered, also by a refusal that the log has decided. */
  #ask(step: Step, token: string | undefined, member: SimulatedMember): Promise<boolean> {
    const { running } = member;
    if (running === undefined) return Promise.resolve(false);
    return new Promise((resolve) => {
      const forget = member.whenGone(() => resolve(false));
      const end = (isAnswered: boolean): void => {
        forget();
        if (isAnswered) this.counts.answered++;
        resolve(isAnswered);
      };
      this.#options.scheduler.after(0, running.process, () => {
        this.#send(step, token, running).then(
          (told) => {
            this.#compare(token, told);
            end(true);
          },
          (reason: unknown) =>
            end(BalsaError.from(reason).kind.definite && BalsaError.from(reason).kind.retryable === false),
        );
      });
    });
  }

  /** Whoever repeats a write with its token is told what was told before. */
  #compare(token: string | undefined, told: unknown): void {
    if (token === undefined || told === undefined) return;
    const text = printable(told);
    const before = this.#told.get(token);
    if (before !== undefined && before !== text) {
      this.#options.onViolation(new Violation('idempotent write', `token ${token}: told ${text}, before ${before}`));
    }
    this.#told.set(token, text);
  }

  /** What must be the same each time. */
  async #send(step: Step, token: string | undefined, running: Running): Promise<unknown> {
    const options: WriteOptions = { timeoutMs: this.#options.plan.clients.timeoutMs, idempotencyKey: token };
    if (step.kind === 'write') return this.#write(step.write, options, running);
    if (step.kind === 'range') await this.#list(step.request, options, running);
    return undefined;
  }

  async #write(write: Write, options: WriteOptions, { kv, leases }: Running): Promise<unknown> {
    switch (write.kind) {
      case 'put': {
        const { header, ...answer } = await kv.put(write, options);
        return { ...answer, revision: header.revision };
      }
      case 'delete': {
        const { header, ...answer } = await kv.delete(write, options);
        return { ...answer, revision: header.revision };
      }
      case 'deleteRange': {
        const { header, ...answer } = await kv.deleteRange(write, options);
        return { ...answer, revision: header.revision };
      }
      case 'txn': {
        const { header, ...answer } = await kv.txn(write.txn, options);
        return { ...answer, revision: header.revision };
      }
      case 'compact':
        await kv.compact(write.revision, options);
        return 'compacted';
      case 'leaseGrant': {
        const { id, ttl } = await leases.grant({ id: write.id, ttl: 1 + (write.ttl % 5) }, options);
        return { id, ttl };
      }
      case 'leaseRevoke': {
        const { deleted } = await leases.revoke(write.id, options);
        return { deleted };
      }
      case 'leaseCheckpoint':
        return undefined;
    }
  }

  /** All pages of a list, with the revision that they show. */
  async #list(request: RangeRequest, options: WriteOptions, { kv }: Running): Promise<void> {
    const consistency = { level: this.#asked % 3 === 0 ? 'stale' : 'linearizable' } as const;
    const { kvs, count, readRevision, more } = await kv.range(request, { ...options, consistency });
    const isCut = more && request.limit === 0;
    if (!isCut) this.#options.model.note({ request: { ...request, revision: readRevision }, kvs, count });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.scheduler.after(ms, undefined, resolve));
  }
}

/** It would delete the keys of the other clients, who know nothing of it. */
function reachesOthers({ success, failure }: TxnRequest): boolean {
  return [...success, ...failure].some((operation) => {
    if (operation.kind === 'txn') return reachesOthers(operation.txn);
    return operation.kind === 'delete' && operation.range.start.length === 0;
  });
}
