import { BalsaError } from '../contract/errors.ts';
import type { WatchRequest } from '../contract/watch.ts';
import { checkRange } from './check-txn.ts';
import type { Duty } from './duty.ts';
import type { Replica } from './replica.ts';
import type { RequestOptions, Watch, WatchService, WatchSink } from './service.ts';

/** How often those who are up to date are told so. */
const progressIntervalMs = 1000;
/** A watch takes about a kilobyte while its client reads. Clients with more to watch have other members. */
const watchesMaxDefault = 100_000;

/** Watches on this member's state machine. A member that has lost its leader ends them: elsewhere there may be one. */
export class ReplicaWatchService implements WatchService, Duty {
  readonly #replica: Replica;
  readonly #watchesMax: number;
  #leaderSeenMs: number;
  #progressToldMs: number;

  constructor(replica: Replica, watchesMax = watchesMaxDefault) {
    const now = replica.options.clock.monotonicMs();
    this.#replica = replica;
    this.#watchesMax = watchesMax;
    this.#leaderSeenMs = now;
    this.#progressToldMs = now;
    replica.addDuty(this);
  }

  get watches(): number {
    return this.#hub.size;
  }

  async watch(request: WatchRequest, sink: WatchSink, options: RequestOptions): Promise<Watch> {
    checkRange(request.range);
    await this.#replica.reads.confirm(options.timeoutMs);
    // The quorum that was just asked counts: the watch must not be ended for what was before it.
    this.#leaderSeenMs = this.#replica.options.clock.monotonicMs();
    if (this.watches >= this.#watchesMax) throw tooManyWatches(this.#watchesMax);
    const header = this.#replica.header();
    return { header, ...this.#replica.options.store.watch(request, sink) };
  }

  /** Ends all watches for good. */
  close(): void {
    this.#hub.endAll(new BalsaError('unavailable', 'This member is stopping. Watch on another member.'), 'never');
  }

  onLeading(): void {}

  onDeposed(): void {}

  onTick(): void {
    const { clock, electionTimeoutMs } = this.#replica.options;
    const now = clock.monotonicMs();
    if (this.#replica.core.leader !== undefined) this.#leaderSeenMs = now;
    else if (now - this.#leaderSeenMs > electionTimeoutMs && this.#hub.size > 0)
      this.#hub.endAll(leaderLost(), 'again');
    if (now - this.#progressToldMs < progressIntervalMs) return;
    this.#progressToldMs = now;
    this.#hub.tellProgress();
  }

  get #hub() {
    return this.#replica.options.store.watches;
  }
}

function tooManyWatches(watchesMax: number): BalsaError {
  return new BalsaError(
    'too_many_requests',
    `This member serves ${watchesMax} watches, which is as many as it takes. Watch on another member, or a prefix in place ` +
      'of its keys.',
  );
}

function leaderLost(): BalsaError {
  return new BalsaError(
    'no_leader',
    'This member has lost the leader and cannot tell what happens. Watch on another member, from the revision after the ' +
      'last one that was told.',
  );
}
