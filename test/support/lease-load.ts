import { type Random, seededRandom } from '../../src/base/random.ts';
import { type LeaseId, parseLeaseId } from '../../src/contract/lease.ts';
import type { LeaseHistory, LeaseLife, Renewal } from '../model/lease-checker.ts';
import type { SeenRevision } from '../model/watch-checker.ts';
import { type Answer, type Endpoint, inTurn, isOk, send, sendUntilAnswered } from './send.ts';

/** A lease and what its holder knows of it. */
interface Session {
  readonly id: LeaseId;
  readonly idText: string;
  /** Seconds, as granted. */
  readonly ttl: number;
  readonly keys: readonly string[];
  readonly renewals: Renewal[];
  readonly seenAliveMs: number[];
  revokedMs: number | undefined;
  goneMs: number | undefined;
}

export interface LeaseLoadOptions {
  readonly clients: number;
  readonly seed: number;
  /** Seconds; each lease gets one of them. */
  readonly ttls: readonly number[];
  /** After so many renewals it is let go or revoked. */
  readonly renewalsMax: number;
  /** When a keep-alive without an answer can certainly not take effect any more. */
  readonly openMs: number;
}

/**
 * Sessions that hold keys by a lease, keep it alive through any node that answers, and then let it go or revoke it. The
 * ends of leases are seen by the deletion of their keys: `onBatch` is to be told of all events.
 */
export class LeaseLoad implements AsyncDisposable {
  readonly #sessions: Session[] = [];
  readonly #byKey = new Map<string, Session>();
  readonly #leaderChangesMs: number[] = [];
  readonly #nodes: readonly Endpoint[];
  readonly #options: LeaseLoadOptions;
  readonly #running: Promise<void>[];
  #raftTerm = 0;
  #stopping = false;

  constructor(nodes: readonly Endpoint[], options: LeaseLoadOptions) {
    this.#nodes = nodes;
    this.#options = options;
    this.#running = Array.from({ length: options.clients }, (_, client) =>
      this.#run(client, seededRandom(options.seed + client)),
    );
  }

  get granted(): number {
    return this.#sessions.length;
  }

  get renewals(): number {
    return this.#sessions.reduce((sum, { renewals }) => sum + renewals.length, 0);
  }

  /** Leases whose end nobody has seen yet. */
  get alive(): number {
    return this.#sessions.filter(({ goneMs }) => goneMs === undefined).length;
  }

  onBatch({ events }: SeenRevision): void {
    for (const { type, kv } of events) {
      const session = this.#byKey.get(Buffer.from(kv.key).toString());
      if (type === 'delete' && session !== undefined) session.goneMs ??= performance.now();
    }
  }

  history(): LeaseHistory {
    const leases = this.#sessions.map(({ id, renewals, revokedMs, goneMs, seenAliveMs }): LeaseLife => {
      return { id, renewals, revokedMs, goneMs, seenAliveMs };
    });
    return { leases, leaderChangesMs: this.#leaderChangesMs, observedToMs: performance.now() };
  }

  /** A lease whose keys did not go all at once, or did not go. */
  check(log: readonly SeenRevision[]): string | undefined {
    const deletions = new Map<string, number>();
    for (const { revision, events } of log) {
      for (const { type, kv } of events) if (type === 'delete') deletions.set(Buffer.from(kv.key).toString(), revision);
    }
    for (const { idText, keys } of this.#sessions) {
      const revisions = new Set(keys.map((key) => deletions.get(key)));
      if (revisions.size > 1) return `the keys of lease ${idText} were deleted at ${[...revisions].join(' and ')}`;
    }
    return undefined;
  }

  /** Leases that are held then are let go. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(client: number, random: Random): Promise<void> {
    for (let count = 0; !this.#stopping; count++) {
      const session = await this.#begin(`${client}-${count}`, random);
      const renewals = random.below(this.#options.renewalsMax + 1);
      for (let i = 0; i < renewals && session.goneMs === undefined && !this.#stopping; i++) {
        await this.#rest(session);
        await this.#keepAlive(session, random);
      }
      if (random.below(3) === 0) await this.#revoke(session, random);
    }
  }

  async #begin(name: string, random: Random): Promise<Session> {
    const ttl = this.#options.ttls[random.below(this.#options.ttls.length)];
    const startMs = performance.now();
    const body = JSON.stringify({ ttl });
    const answer = await this.#write('/v1/leases', { method: 'POST', body, token: `grant-${name}` }, random);
    const granted = JSON.parse(answer.text) as { id: string; ttl: number };
    const session: Session = {
      id: parseLeaseId(granted.id) ?? 0n,
      idText: granted.id,
      ttl: granted.ttl,
      keys: [`lease/${name}/a`, `lease/${name}/b`],
      renewals: [{ startMs, endMs: performance.now(), ttl: granted.ttl, isAcknowledged: true }],
      seenAliveMs: [],
      revokedMs: undefined,
      goneMs: undefined,
    };
    this.#sessions.push(session);
    for (const key of session.keys) {
      const request = { method: 'PUT', body: granted.id, token: `put-${key}` };
      // Before it is sent: the lease may end before the answer comes.
      this.#byKey.set(key, session);
      const put = await this.#write(`/v1/kv/${key}?lease=${granted.id}`, request, random);
      if (!isOk(put)) session.goneMs ??= performance.now();
    }
    return session;
  }

  /** Asks one node after the other until one has renewed it, or says that it is gone, or its time must be up. */
  async #keepAlive(session: Session, random: Random): Promise<void> {
    const untilMs = performance.now() + session.ttl * 1000;
    for (let i = random.below(this.#nodes.length); performance.now() < untilMs; i++) {
      const startMs = performance.now();
      const url = `${this.#nodes[i % this.#nodes.length]?.url}/v1/leases/${session.idText}/keepalive?timeout=500ms`;
      const answer = await send(url, { method: 'POST' }, [200, 404]);
      if (answer === 'refused') {
        await new Promise((resolve) => setTimeout(resolve, 10));
        continue;
      }
      const isAcknowledged = answer !== 'unknown' && isOk(answer);
      const endMs = performance.now() + (answer === 'unknown' ? this.#options.openMs : 0);
      if (answer !== 'unknown') this.#noteTerm(answer);
      if (answer === 'unknown' || isAcknowledged)
        session.renewals.push({ startMs, endMs, ttl: session.ttl, isAcknowledged });
      else session.goneMs ??= endMs;
      if (answer !== 'unknown') return;
    }
  }

  async #revoke(session: Session, random: Random): Promise<void> {
    session.revokedMs = performance.now();
    const token = `revoke-${session.idText}`;
    await this.#write(`/v1/leases/${session.idText}`, { method: 'DELETE', token }, random);
    session.goneMs ??= performance.now();
  }

  async #write(path: string, request: RequestInit & { readonly token: string }, random: Random): Promise<Answer> {
    const nodes = inTurn(this.#nodes, random.below(this.#nodes.length));
    const separator = path.includes('?') ? '&' : '?';
    const { answer } = await sendUntilAnswered(nodes, `${path}${separator}timeout=1s`, request, [200, 201, 404]);
    this.#noteTerm(answer);
    return answer;
  }

  /** Renewed at a third of its time, as clients do. */
  #rest({ ttl }: Session): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, (ttl * 1000) / 3));
  }

  #noteTerm({ headers }: Answer): void {
    const raftTerm = Number(headers.get('balsa-raft-term'));
    if (raftTerm <= this.#raftTerm) return;
    this.#raftTerm = raftTerm;
    this.#leaderChangesMs.push(performance.now());
  }
}
