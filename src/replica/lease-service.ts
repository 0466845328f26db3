import { crc32c } from '../base/checksum.ts';
import { BalsaError } from '../contract/errors.ts';
import {
  type LeaseGrantAnswer,
  type LeaseGrantRequest,
  type LeaseId,
  type LeaseKeepAliveAnswer,
  type LeaseListAnswer,
  type LeaseRevokeAnswer,
  type LeaseTimeAnswer,
  leaseIdMax,
  leaseTtlMaxSeconds,
} from '../contract/lease.ts';
import { encodeCommand } from '../mvcc/index.ts';
import type { Term } from '../raft/index.ts';
import { askLeader } from './ask-leader.ts';
import type { Duty } from './duty.ts';
import type { LeaderAnswer } from './leader-answer.ts';
import type { LeaseQuestion, LeaseTime } from './lease-question.ts';
import { decodeLeaseAnswer, decodeLeaseQuestion, encodeLeaseAnswer, encodeLeaseQuestion } from './lease-question.ts';
import { Lessor } from './lessor.ts';
import { peerRequestKinds } from './peer-request-kinds.ts';
import { refusalError } from './refusal-error.ts';
import type { Replica } from './replica.ts';
import type { LeaseService, ReadOptions, RequestOptions, WriteOptions } from './service.ts';
import { encodeWrite } from './write-command.ts';

/** How long an entry of the leader's own may take before it is tried again. */
const ownProposalTimeoutMs = 3000;

/** Leases: granted and ended through the log, kept alive by the leader. */
export class ReplicaLeaseService implements LeaseService, Duty {
  readonly #replica: Replica;
  readonly #lessor: Lessor;
  readonly #ttlMin: number;

  constructor(replica: Replica) {
    const { clock, heartbeatIntervalMs, electionTimeoutMs, store } = replica.options;
    this.#replica = replica;
    this.#ttlMin = Math.ceil((1.5 * electionTimeoutMs) / 1000);
    this.#lessor = new Lessor({
      clock,
      tickMs: heartbeatIntervalMs,
      electionTimeoutMs,
      expire: async (term, ids) => {
        await replica.propose(encodeCommand({ kind: 'leaseExpire', term, ids }), ownProposalTimeoutMs);
      },
      checkpoint: async (term, leases) => {
        await replica.propose(encodeCommand({ kind: 'leaseCheckpoint', term, leases }), ownProposalTimeoutMs);
      },
    });
    store.onLeaseChange = (id, lease) => this.#lessor.onLeaseChange(id, lease);
    replica.addDuty(this);
    replica.answerPeers(peerRequestKinds.lease, (body) => this.#answerPeer(body));
  }

  async grant(request: LeaseGrantRequest, options: WriteOptions): Promise<LeaseGrantAnswer> {
    checkTtl(request.ttl);
    const id = request.id ?? (options.idempotencyKey === undefined ? this.#newId() : idOf(options.idempotencyKey));
    const ttl = Math.max(request.ttl, this.#ttlMin);
    const command = encodeWrite({ kind: 'leaseGrant', id, ttl }, options);
    const { term, result } = await this.#replica.submit(command, options.timeoutMs);
    if (result.kind === 'refused') throw refusalError(result);
    if (result.kind !== 'leaseGranted') throw BalsaError.from(new Error(`a grant was answered by a ${result.kind}`));
    const { memberId } = this.#replica.options;
    // A grant that is repeated with its idempotency key gets the lease of the first time.
    return { header: { memberId, revision: result.revision, raftTerm: term }, id: result.id, ttl: result.ttl };
  }

  async revoke(id: LeaseId, options: WriteOptions): Promise<LeaseRevokeAnswer> {
    const command = encodeWrite({ kind: 'leaseRevoke', id }, options);
    const { term, result } = await this.#replica.submit(command, options.timeoutMs);
    if (result.kind === 'refused') throw refusalError(result);
    if (result.kind !== 'delete') throw BalsaError.from(new Error(`a revocation was answered by a ${result.kind}`));
    const { memberId } = this.#replica.options;
    return { header: { memberId, revision: result.revision, raftTerm: term }, deleted: result.deleted };
  }

  async keepAlive(id: LeaseId, options: RequestOptions): Promise<LeaseKeepAliveAnswer> {
    const { grantedTtl } = await this.#ask({ kind: 'keepAlive', id }, options);
    return { header: this.#replica.header(), id, ttl: grantedTtl };
  }

  async timeToLive(id: LeaseId, options: RequestOptions & { readonly keys: boolean }): Promise<LeaseTimeAnswer> {
    const { grantedTtl, leftMs } = await this.#ask({ kind: 'timeLeft', id }, options);
    let keys: readonly Uint8Array[] = [];
    if (options.keys) {
      await this.#replica.reads.confirm(options.timeoutMs);
      keys = await this.#replica.options.store.leaseKeys(id);
    }
    return { header: this.#replica.header(), id, ttl: Math.ceil(leftMs / 1000), grantedTtl, keys };
  }

  async list(options: ReadOptions): Promise<LeaseListAnswer> {
    if (options.consistency.level !== 'stale') await this.#replica.reads.confirm(options.timeoutMs);
    const ids = [...this.#replica.options.store.leases.keys()];
    ids.sort((a, b) => (a < b ? -1 : 1));
    return { header: this.#replica.header(), ids };
  }

  onLeading(term: Term): void {
    this.#lessor.lead(term, this.#replica.options.store.leases.values());
  }

  onDeposed(): void {
    this.#lessor.stop();
  }

  onTick(): void {
    this.#lessor.tick();
  }

  #ask(question: LeaseQuestion, { timeoutMs }: RequestOptions): Promise<LeaseTime> {
    const asked = {
      hasEffect: false,
      answer: (leftMs: number) => this.#answer(question, leftMs),
      peerKind: peerRequestKinds.lease,
      encode: (leftMs: number) => encodeLeaseQuestion(question, leftMs),
      decode: decodeLeaseAnswer,
    };
    return askLeader(this.#replica, asked, timeoutMs);
  }

  async #answerPeer(body: Uint8Array): Promise<Uint8Array> {
    const decoded = decodeLeaseQuestion(body);
    if (decoded === undefined) throw new Error('a question about a lease that cannot be read');
    return encodeLeaseAnswer(await this.#answer(decoded.question, decoded.timeoutMs));
  }

  /** As the leader. Everything is looked at again after each wait: leadership or the lease may be gone (etcd#17642). */
  async #answer(question: LeaseQuestion, timeoutMs: number): Promise<LeaderAnswer<LeaseTime>> {
    const { id, kind } = question;
    try {
      await this.#replica.reads.confirm(timeoutMs);
      const { term } = this.#lessor;
      if (term === undefined) return { kind: 'notLeading' };
      if (kind === 'keepAlive' && this.#lessor.state(id) === 'checkpointed') await this.#restore(id, term, timeoutMs);
      if (this.#lessor.term !== term) return { kind: 'notLeading' };
      const lease = this.#replica.options.store.leases.get(id);
      if (lease === undefined) return { kind: 'failed', error: leaseNotFound() };
      // Its end is under way. Another leader may never hear of that, and then it lives on (as etcd, wait for either).
      if (this.#lessor.state(id) === 'gone') return { kind: 'notLeading' };
      // It could not be restored in time.
      if (kind === 'keepAlive' && this.#lessor.state(id) === 'checkpointed') return { kind: 'notLeading' };
      if (kind === 'keepAlive') this.#lessor.renew(id);
      return { kind: 'answered', value: { grantedTtl: lease.ttl, leftMs: this.#lessor.leftMs(id) ?? 0 } };
    } catch (reason) {
      return { kind: 'failed', error: BalsaError.from(reason) };
    }
  }

  /** Before it is renewed the log has to say that all its time is left, for a leader that may come. */
  async #restore(id: LeaseId, term: Term, timeoutMs: number): Promise<void> {
    const checkpoints = this.#lessor.checkpoints(id);
    const command = encodeCommand({ kind: 'leaseCheckpoint', term, leases: [{ id, remaining: undefined }] });
    const answer = await this.#replica.propose(command, timeoutMs);
    if (answer.outcome === 'done' && this.#lessor.term === term) this.#lessor.restored(id, checkpoints);
  }

  /** As etcd's, it is never 0; that it is taken is as good as impossible, and then the grant is refused. */
  #newId(): LeaseId {
    const { random } = this.#replica.options;
    return (BigInt(random.below(2 ** 31)) << 32n) | BigInt(1 + random.below(2 ** 32 - 1));
  }
}

/** A grant that is sent again under the same key has to be the same command. */
function idOf(idempotencyKey: string): LeaseId {
  const bytes = Buffer.from(idempotencyKey, 'utf8');
  const high = crc32c(bytes);
  const low = crc32c(bytes, ~high >>> 0);
  return ((BigInt(high) << 32n) | BigInt(low)) & leaseIdMax || 1n;
}

function checkTtl(ttl: number): void {
  if (Number.isSafeInteger(ttl) && ttl >= 1 && ttl <= leaseTtlMaxSeconds) return;
  throw new BalsaError(
    'bad_request',
    `The TTL is ${ttl}; give whole seconds from 1 to ${leaseTtlMaxSeconds}. Short ones are raised to what can be kept.`,
    { extras: { parameter: 'ttl' } },
  );
}

function leaseNotFound(): BalsaError {
  return new BalsaError('lease_not_found', 'There is no such lease: it has run out, or was never granted.');
}
