import type { LeaseId } from '../../src/contract/lease.ts';
import type { LeaseLife, Renewal } from '../model/lease-checker.ts';
import type { Chance } from '../sim/world/chance.ts';
import type { LeaseCluster } from './lease-cluster.ts';
import type { KeepAliveAnswer } from './lease-member.ts';

export interface HolderEvents {
  onRenewed(): void;
  onUnknown(): void;
  onToldGone(): void;
}

/** A holder gives up a renewal after that time. */
const requestTimeoutMs = 5000;
const retryMs = 50;

/** Seconds; many short ones, which meet more leaders than one. */
const ttls = { 2: 20, 3: 15, 5: 15, 10: 20, 15: 10, 30: 10, 60: 7, 120: 3 } as const;

/** A client that is granted a lease, keeps it alive for a while, more or less in time, and stops or revokes it. */
export class LeaseHolder {
  readonly id: LeaseId;
  readonly ttl: number;
  readonly #cluster: LeaseCluster;
  readonly #chance: Chance;
  readonly #events: HolderEvents;
  readonly #renewals: Renewal[] = [];
  /** Some renew at a third of the TTL, some at the last moment. */
  readonly #pace: number;
  #renewalsLeft: number;
  readonly #revokes: boolean;
  #revokedMs: number | undefined;
  #goneMs: number | undefined;
  /** The answer to its grant came: what became of it is of interest. */
  #isGranted = false;

  constructor(id: LeaseId, cluster: LeaseCluster, chance: Chance, events: HolderEvents) {
    this.id = id;
    this.#cluster = cluster;
    this.#chance = chance;
    this.#events = events;
    this.ttl = Number(chance.weighted(ttls));
    this.#pace = chance.pick([0.3, 0.3, 0.5, 0.9, 1]);
    this.#renewalsLeft = chance.below(chance.pick([1, 4, 12]));
    this.#revokes = chance.happens(0.05);
  }

  get life(): LeaseLife | undefined {
    if (!this.#isGranted) return undefined;
    const { id } = this;
    return { id, renewals: this.#renewals, revokedMs: this.#revokedMs, goneMs: this.#goneMs, seenAliveMs: [] };
  }

  /** The log ended it. */
  onEnded(): void {
    this.#sawGone();
  }

  /** One attempt: if it fails there is no lease of that holder. */
  grant(): void {
    const { scheduler } = this.#cluster;
    const startMs = scheduler.nowMs;
    this.#send(() => {
      const command = { kind: 'grant', id: this.id, ttl: this.ttl } as const;
      this.#cluster.leader.propose(command, (outcome) => {
        if (outcome === 'lost') return;
        this.#answer(() => {
          this.#isGranted = true;
          this.#renewals.push({ startMs, endMs: scheduler.nowMs, ttl: this.ttl, isAcknowledged: true });
          this.#goOn();
        });
      });
    });
  }

  #goOn(): void {
    const { scheduler } = this.#cluster;
    const afterMs = 1000 * this.ttl * this.#pace * this.#chance.between(0.8, 1.1);
    if (this.#renewalsLeft > 0) scheduler.after(afterMs, undefined, () => this.#renew());
    else if (this.#revokes) scheduler.after(afterMs, undefined, () => this.#revoke());
  }

  #renew(): void {
    this.#renewalsLeft--;
    const startMs = this.#cluster.scheduler.nowMs;
    this.#tryToRenew(startMs, startMs + requestTimeoutMs);
  }

  #tryToRenew(startMs: number, deadlineMs: number): void {
    const { scheduler, leader, members } = this.#cluster;
    const end = (isAcknowledged: boolean): void => {
      this.#renewals.push({ startMs, endMs: scheduler.nowMs, ttl: this.ttl, isAcknowledged });
    };
    const onAnswer = (answer: KeepAliveAnswer): void => {
      if (answer === 'renewed' && !this.#chance.happens(0.02)) {
        this.#answer(() => {
          end(true);
          this.#events.onRenewed();
          this.#goOn();
        });
      } else if (answer === 'gone') {
        this.#answer(() => {
          this.#events.onToldGone();
          this.#sawGone();
        });
      } else if (answer === 'retry' && scheduler.nowMs < deadlineMs) {
        scheduler.after(retryMs, undefined, () => this.#tryToRenew(startMs, deadlineMs));
      } else {
        // The answer is lost on its way, or none was to be had.
        end(false);
        this.#events.onUnknown();
        this.#goOn();
      }
    };
    // Now and then it asks one that leads no more.
    const asked = this.#chance.happens(0.1) ? this.#chance.pick(members) : leader;
    scheduler.after(this.#chance.skewed(0.2, 20), asked, () => asked.keepAlive(this.id, onAnswer));
  }

  #revoke(): void {
    const { scheduler, leader } = this.#cluster;
    this.#revokedMs = scheduler.nowMs;
    this.#send(() => leader.propose({ kind: 'revoke', id: this.id }, () => undefined));
  }

  #sawGone(): void {
    this.#goneMs ??= this.#cluster.scheduler.nowMs;
  }

  #send(arrive: () => void): void {
    const { scheduler, leader } = this.#cluster;
    scheduler.after(this.#chance.skewed(0.2, 20), leader, arrive);
  }

  #answer(arrive: () => void): void {
    this.#cluster.scheduler.after(this.#chance.skewed(0.2, 20), undefined, arrive);
  }
}
