import { keyRange } from '../../src/contract/key-range.ts';
import type { Revision } from '../../src/contract/kv.ts';
import type { WatchRequest } from '../../src/contract/watch.ts';
import type { Watch } from '../../src/replica/index.ts';
import { Observer } from '../model/observer.ts';
import { type Observation, WatchChecker } from '../model/watch-checker.ts';
import type { ModelCheck } from './checks/model-check.ts';
import { Violation } from './checks/violation.ts';
import type { Plan } from './plan.ts';
import type { Chance } from './world/chance.ts';
import type { SimulatedMember } from './world/member.ts';
import type { Scheduler } from './world/scheduler.ts';

export interface WatchClientsOptions {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly members: readonly SimulatedMember[];
  readonly model: ModelCheck;
}

const retryMs = 100;
const filters = [undefined, undefined, 'put', 'delete'] as const;

/** Clients that watch, each through one member after the other, and never miss anything. */
export class WatchClients {
  readonly #options: WatchClientsOptions;
  readonly #clients: WatchClient[];

  constructor(options: WatchClientsOptions) {
    this.#options = options;
    this.#clients = Array.from({ length: options.plan.store.watchers }, (_, i) => {
      return new WatchClient(options, options.chance.of(`watcher ${i}`));
    });
  }

  start(): void {
    for (const client of this.#clients) void client.run();
  }

  /** From here on they read as fast as they can. */
  hurry(): void {
    for (const client of this.#clients) client.hurry();
  }

  /** Nobody watches any more; what was told has been told. */
  stop(): void {
    for (const client of this.#clients) client.stop();
  }

  /** All have been told everything up to that revision, as far as they can know. */
  haveSeen(revision: Revision): boolean {
    return this.#clients.every((client) => client.hasSeen(revision));
  }

  /** Throws a `Violation` for what a watch may not do. */
  check(): void {
    const { log: revisions, revision, compactRevision } = this.#options.model.everything;
    const compacted = Math.max(compactRevision, this.#options.model.model.compactRevision);
    const checker = new WatchChecker({ revisions, revision, compactRevision: compacted });
    for (const client of this.#clients) {
      for (const chain of client.chains) {
        const problem = checker.checkResumed(chain);
        if (problem !== undefined) throw new Violation('watch', problem);
      }
    }
  }
}

class WatchClient {
  readonly #options: WatchClientsOptions;
  readonly #chance: Chance;
  readonly #request: Omit<WatchRequest, 'revision'>;
  /** Each a watch that was resumed until it was told that it cannot be. */
  readonly chains: Observation[][] = [];
  #isHurried = false;
  #isStopped = false;
  #end: () => void = () => {};
  #told: Revision = 0;

  constructor(options: WatchClientsOptions, chance: Chance) {
    this.#options = options;
    this.#chance = chance;
    this.#request = {
      range: chance.pick([
        { start: Buffer.from('k'), end: Buffer.from('l') },
        { start: new Uint8Array(), end: undefined },
        keyRange(Buffer.from('k0')),
      ]),
      previous: chance.happens(0.5),
      filter: filters[chance.below(filters.length)],
    };
  }

  hurry(): void {
    this.#isHurried = true;
  }

  stop(): void {
    this.#isStopped = true;
    this.#end();
  }

  hasSeen(revision: Revision): boolean {
    return this.#told >= revision;
  }

  async run(): Promise<void> {
    let chain: Observation[] = [];
    let next: Revision | undefined;
    while (!this.#isStopped) {
      const part = await this.#watch({ ...this.#request, revision: next });
      if (part !== undefined) {
        if (chain.length === 0) this.chains.push(chain);
        chain.push(part);
        const last = part.seen.findLast(({ kind }) => kind === 'batch' || kind === 'progress');
        const first = part.request.revision ?? part.beganAt + 1;
        next = last !== undefined && 'revision' in last ? Math.max(first, last.revision + 1) : first;
        if (part.seen.at(-1)?.kind === 'compacted') {
          chain = [];
          next = undefined;
        }
      }
      await this.#sleep(retryMs);
    }
  }

  /** Until it is ended, by the member or by its death; or undefined if it could not be begun. */
  async #watch(request: WatchRequest): Promise<Observation | undefined> {
    const member = this.#chance.pick(this.#options.members);
    const { running } = member;
    if (running === undefined) return undefined;
    const isSlow = this.#chance.happens(0.3);
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve;
    });
    const end = this.#end;
    const forget = member.whenGone(() => end());
    const observer: Observer = new Observer(() => {
      this.#noteTold(observer);
      return this.#isHurried || !isSlow || this.#chance.happens(0.5);
    }, end);
    let watch: Watch | undefined;
    this.#options.scheduler.after(0, running.process, () => {
      running.watch.watch(request, observer, { timeoutMs: 1000 }).then((begun) => {
        watch = begun;
        this.#resumeLater(observer, begun);
      }, end);
    });
    // Now and then it goes by itself.
    if (this.#chance.happens(0.5))
      this.#options.scheduler.after(this.#chance.between(0, 8000), undefined, () => !this.#isHurried && end());
    await ended;
    // A watch that is over as soon as it begins says so before it is known to have begun.
    await this.#sleep(0);
    forget();
    if (watch === undefined) return undefined;
    watch.close();
    observer.close();
    return {
      request,
      beganAt: watch.header.revision,
      compactedBefore: 0,
      seen: observer.seen,
      completeTo: undefined,
    };
  }

  #noteTold(observer: Observer): void {
    const last = observer.seen.at(-1);
    if (last !== undefined && 'revision' in last) this.#told = Math.max(this.#told, last.revision);
  }

  #resumeLater(observer: Observer, watch: Watch): void {
    this.#options.scheduler.after(this.#isHurried ? 1 : this.#chance.between(1, 500), undefined, () => {
      if (observer.isClosed || observer.error !== undefined) return;
      if (observer.isPaused) {
        observer.isPaused = false;
        watch.resume();
      }
      this.#resumeLater(observer, watch);
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.scheduler.after(ms, undefined, resolve));
  }
}
