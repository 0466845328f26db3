import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { BalsaError } from '../contract/errors.ts';
import type { AnswerHeader } from '../contract/kv.ts';
import { decodeCommand, encodeCommand, type Store } from '../mvcc/index.ts';
import {
  defaultRaftOptions,
  type FollowerView,
  type MemberId,
  type Message,
  RaftCore,
  type RaftOptions,
  type Term,
} from '../raft/index.ts';
import type { RaftLog } from '../storage/index.ts';
import type { PeerRequest, Receiver, Transport } from '../transport/index.ts';
import { Deadlines } from './deadlines.ts';
import { Driver } from './driver.ts';
import type { Duty } from './duty.ts';
import { decodeWriteRequest, encodeWriteAnswer, type WriteAnswer } from './forwarded-write.ts';
import { MemberExpelled } from './member-expelled.ts';
import type { ReplicaMetrics } from './metrics.ts';
import type { State } from './open-state.ts';
import { PeerList } from './peer-list.ts';
import { peerRequestKinds } from './peer-request-kinds.ts';
import { encodeProgress, type LeaderProgress, leaderProgress } from './progress.ts';
import { Reads } from './reads.ts';
import type { ReplicaLog } from './replica-log.ts';
import { type ReceivingProgress, SnapshotReceiver } from './snapshot-receiver.ts';
import { SnapshotSender } from './snapshot-sender.ts';
import { Ticker } from './ticker.ts';
import { Truncation } from './truncation.ts';
import { type WriteDone, Writes } from './writes.ts';

export interface ReplicaOptions {
  readonly groupId: number;
  readonly clusterId: string;
  readonly memberId: MemberId;
  readonly log: RaftLog;
  readonly store: Store;
  /** Whose log and store they are; a snapshot comes in through it. */
  readonly state: Pick<State, 'beginIncoming' | 'exchangeStore'>;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly heartbeatIntervalMs: number;
  readonly electionTimeoutMs: number;
  /** Entries of the log that are kept behind what the store has on disk. */
  readonly snapshotCount: number;
  /** Other sizes of messages, windows and batches than the usual ones; small ones show what large ones hide. */
  readonly limits?: RaftLimits;
  readonly metrics: ReplicaMetrics;
  readonly logger: ReplicaLog;
  /** The member cannot go on: a failed write, a broken invariant, a damaged value. It has stopped acknowledging. */
  readonly onFailure: (reason: unknown) => void;
}

export type RaftLimits = Partial<
  Pick<RaftOptions, 'messageBytesMax' | 'inflightMessagesMax' | 'inflightBytesMax' | 'committedBytesMax'>
>;

/** While nobody reads stale, the age of the state is still looked up that often, so that status pages can tell it. */
const idleProbeIntervalMs = 1000;
/**
 * Bytes of applied changes that may wait for LevelDB before applying waits too: those of one batch that is written and of
 * one that collects. In memory they take several times as much, on their way through LevelDB again.
 */
const bufferedBytesMax = 4 * 1024 * 1024;
/** The log is truncated earlier if more than that would be kept. */
const keptLogBytes = 64 * 1024 * 1024;
const pendingWritesMax = 50_000;
const pendingWriteBytesMax = 128 * 1024 * 1024;
const pendingReadsMax = 100_000;

type PeerQuestionHandler = (body: Uint8Array, from: MemberId) => Promise<Uint8Array>;

/** One Raft group on one member: its core, log and store, and everything that moves them. */
export class Replica {
  readonly options: ReplicaOptions;
  readonly core: RaftCore;
  readonly driver: Driver;
  readonly reads: Reads;
  readonly writes: Writes;
  readonly #deadlines: Deadlines;
  readonly #ticker: Ticker;
  readonly #lastHeardMs = new Map<MemberId, number>();
  #staleReadSinceProbe = false;
  #lastProbeMs = Number.NEGATIVE_INFINITY;
  #failed = false;
  #reportedLeader: MemberId | undefined;
  #reportedSuspect = false;
  readonly #duties: Duty[] = [];
  /** The term in which this member leads and has applied its own first entry. */
  #leadingTerm: Term | undefined;
  readonly #answers = new Map<number, PeerQuestionHandler>();
  readonly #snapshotSender: SnapshotSender;
  readonly #snapshotReceiver: SnapshotReceiver;
  readonly #peerList: PeerList;

  constructor(options: ReplicaOptions) {
    const { clock, log, store, transport, groupId, metrics, random, memberId, logger } = options;
    this.options = options;
    this.#deadlines = new Deadlines(clock);
    this.core = new RaftCore(
      {
        ...defaultRaftOptions,
        ...options.limits,
        id: options.memberId,
        hardState: log.hardState,
        appliedIndex: store.appliedIndex,
        commitNotice: 'asked',
        electionTicks: Math.round(options.electionTimeoutMs / options.heartbeatIntervalMs),
      },
      log,
      random,
    );
    const wake = (): void => this.driver.wake();
    this.writes = new Writes({
      core: this.core,
      clock,
      deadlines: this.#deadlines,
      metrics,
      pendingMax: pendingWritesMax,
      pendingBytesMax: pendingWriteBytesMax,
      wake,
      forward: (leader, body, timeoutMs) =>
        transport.request(leader, { groupId, kind: peerRequestKinds.write, body, timeoutMs }),
    });
    this.reads = new Reads({
      core: this.core,
      clock,
      random,
      deadlines: this.#deadlines,
      metrics,
      retryMs: Math.max(2 * options.heartbeatIntervalMs, options.electionTimeoutMs / 4),
      pendingMax: pendingReadsMax,
      appliedIndex: () => store.appliedIndex,
      wake,
    });
    this.#snapshotSender = new SnapshotSender({ log, store, clock, logger });
    this.#snapshotReceiver = new SnapshotReceiver({
      core: this.core,
      transport,
      groupId,
      state: options.state,
      clock,
      logger,
      wake,
    });
    this.driver = new Driver(
      {
        groupId,
        core: this.core,
        log,
        store,
        transport,
        clock,
        metrics,
        electionTimeoutMs: options.electionTimeoutMs,
        bufferedBytesMax,
        snapshots: this.#snapshotReceiver,
        truncation: new Truncation({ keptEntries: options.snapshotCount, keptBytes: keptLogBytes }),
        neededFrom: () => this.#snapshotSender.neededFrom,
      },
      {
        onTurn: () => {
          this.writes.proposeCollected();
          this.reads.startRound();
        },
        onApplied: (entry, results) => {
          this.writes.onApplied(entry, results);
          if (entry.type === 'noop') this.#onTermApplied(entry.term);
        },
        onAppliedAll: () => this.reads.releaseApplied(),
        onReadState: (state) => this.reads.onReadState(state),
        onLeadershipChange: () => this.#onLeadershipChange(),
        onMembersChange: () => this.#peerList.onMembersChange(),
        onSnapshotOffer: (offer) => this.#snapshotReceiver.onOffer(offer),
        onFailure: (reason) => this.fail(reason),
      },
    );
    this.#peerList = new PeerList({ memberId, core: this.core, store, transport });
    this.answerPeers(peerRequestKinds.snapshotOpen, (_body, from) => this.#snapshotSender.open(from));
    this.answerPeers(peerRequestKinds.snapshotChunk, (body) => this.#snapshotSender.chunk(body));
    this.#ticker = new Ticker(clock, options.heartbeatIntervalMs, () => this.#tick());
  }

  start(): void {
    const { store, transport, groupId } = this.options;
    store.failed.catch((reason: unknown) => this.fail(reason));
    transport.serve(groupId, this.#receiver());
    this.#ticker.start();
    const { voters, votersOutgoing } = this.core.status().configuration;
    // Nobody else could be led yet: a lone voter need not sit out an election timeout.
    if (voters.length === 1 && voters[0] === this.options.memberId && votersOutgoing.length === 0) this.core.campaign();
    this.driver.wake();
  }

  /** For answers that come without a header of their own. */
  header(): AnswerHeader {
    const { store, memberId } = this.options;
    return { memberId, revision: store.revision, raftTerm: this.core.term };
  }

  /** Proposes a command of the replica's own or of a client, wherever the leader is. Rejects with a `BalsaError`. */
  submit(command: Uint8Array, timeoutMs: number): Promise<WriteDone> {
    return this.writes.submit(command, timeoutMs);
  }

  /** As `submit`, but never passed on: what this member proposes as the leader is no other leader's business. */
  propose(command: Uint8Array, timeoutMs: number): Promise<WriteAnswer> {
    return this.writes.submitForwarded(command, timeoutMs);
  }

  addDuty(duty: Duty): void {
    this.#duties.push(duty);
  }

  /** Answers that kind of question of other members. */
  answerPeers(kind: number, answer: PeerQuestionHandler): void {
    this.#answers.set(kind, answer);
  }

  /** The term in which this member leads and holds everything that was committed before. */
  get leadingTerm(): Term | undefined {
    return this.#leadingTerm;
  }

  /** How old a stale read may be; keeps the figure fresh while it is asked for. */
  stalenessMs(): number {
    this.#staleReadSinceProbe = true;
    return this.reads.stalenessMs();
  }

  /** Milliseconds since anything came from that member; Infinity if nothing ever did. */
  lastContactMs(member: MemberId): number {
    const heardMs = this.#lastHeardMs.get(member);
    return heardMs === undefined ? Number.POSITIVE_INFINITY : this.options.clock.monotonicMs() - heardMs;
  }

  /** What this member knows of the others as their leader. */
  progress(): LeaderProgress | undefined {
    return leaderProgress(this.core.status(), (member) => this.lastContactMs(member));
  }

  /** It has stopped acknowledging because of a failure of its own. */
  get hasFailed(): boolean {
    return this.#failed;
  }

  /** Requests are refused from here on. */
  get isStopping(): boolean {
    return this.writes.isClosed;
  }

  /** The other voters that could take over, the most advanced first; none if this member does not lead. */
  successors(): readonly FollowerView[] {
    const { followers, configuration } = this.core.status();
    return followers
      .filter(({ id, recentlyActive, isSuspect }) => configuration.voters.includes(id) && recentlyActive && !isSuspect)
      .sort((a, b) => b.matchIndex - a.matchIndex);
  }

  /** What this member is being given, if it is. */
  get receiving(): ReceivingProgress | undefined {
    return this.#snapshotReceiver.progress;
  }

  /**
   * Hands leadership to that member, or to the most advanced other voter, and waits until it has it, at most one election
   * timeout.
   */
  async transferLeadership(to: MemberId | undefined = this.successors()[0]?.id): Promise<void> {
    if (to === undefined || this.core.transferLeadership(to) !== 'started') return;
    this.options.logger.info('leadership transfer started', { to });
    this.driver.wake();
    const deadlineMs = this.options.clock.monotonicMs() + this.options.electionTimeoutMs;
    await this.until(() => this.core.role !== 'leader', deadlineMs);
  }

  /** Resolves when no write is under way any more, or the time is up. */
  async drain(timeoutMs: number): Promise<void> {
    await this.until(() => this.writes.pending === 0, this.options.clock.monotonicMs() + timeoutMs);
  }

  /** Refuses new requests from here on; what is in the log may still end. */
  refuseRequests(reason: string): void {
    this.writes.close(reason);
    this.reads.close(new BalsaError('unavailable', `${reason}. Send the read to another member.`));
  }

  /** Ends the driver. The log, the store and the transport stay open: whoever opened them closes them. */
  async stop(): Promise<void> {
    this.refuseRequests('This member is stopping');
    this.#ticker.stop();
    await this.#snapshotReceiver.close();
    await this.#snapshotSender.close();
    await this.driver.stop();
    this.#deadlines.expireAll();
  }

  #receiver(): Receiver {
    return {
      onMessages: (messages) => this.#onMessages(messages),
      onRequest: (from, request) => this.#onRequest(from, request),
      onUnreachable: (member) => {
        this.core.reportUnreachable(member);
        this.driver.wake();
      },
      onReachable: () => undefined,
    };
  }

  #onMessages(messages: readonly Message[]): void {
    const now = this.options.clock.monotonicMs();
    for (const message of messages) this.#lastHeardMs.set(message.from, now);
    this.driver.step(messages);
  }

  async #onRequest(from: MemberId, request: PeerRequest): Promise<Uint8Array> {
    if (request.kind === peerRequestKinds.progress) return encodeProgress(this.progress());
    const answer = this.#answers.get(request.kind);
    if (answer !== undefined) return answer(request.body, from);
    if (request.kind !== peerRequestKinds.write) throw new Error(`no such request: kind ${request.kind}`);
    const write = decodeWriteRequest(request.body);
    if (write === undefined) throw new Error('a forwarded write without a command');
    const error = objectionTo(write.command);
    if (error !== undefined) return encodeWriteAnswer({ outcome: 'failed', error });
    return encodeWriteAnswer(await this.writes.submitForwarded(write.command, write.timeoutMs));
  }

  #tick(): void {
    this.driver.tick();
    this.#reportSuspicion();
    this.#peerList.onTick();
    this.#snapshotSender.endSilent();
    if (this.#peerList.isRemoved && this.core.role !== 'leader') this.fail(new MemberExpelled(removedAdvice));
    this.writes.retryWaiting();
    const now = this.options.clock.monotonicMs();
    if (this.#staleReadSinceProbe || now - this.#lastProbeMs >= idleProbeIntervalMs) {
      this.#staleReadSinceProbe = false;
      this.#lastProbeMs = now;
      this.reads.probe();
    }
    this.reads.tick();
    for (const duty of this.#duties) duty.onTick();
  }

  #onTermApplied(term: Term): void {
    if (this.core.role !== 'leader' || this.core.term !== term) return;
    this.#leadingTerm = term;
    for (const duty of this.#duties) duty.onLeading(term);
  }

  #reportSuspicion(): void {
    const { isSuspect, term } = this.core;
    if (isSuspect === this.#reportedSuspect) return;
    this.#reportedSuspect = isSuspect;
    if (isSuspect) this.options.logger.warn('suspect: this member abstains from elections', { term });
    else this.options.logger.info('healed: this member votes again', { term });
  }

  #onLeadershipChange(): void {
    const { logger, metrics } = this.options;
    const { leader, term, role } = this.core;
    if (leader !== this.#reportedLeader) {
      this.#reportedLeader = leader;
      metrics.leaderChanged();
      if (leader === undefined) logger.warn('leader lost', { term, role });
      else logger.info('leader elected', { leader, term, role });
    }
    if (this.#leadingTerm !== undefined && (role !== 'leader' || term !== this.#leadingTerm)) {
      this.#leadingTerm = undefined;
      for (const duty of this.#duties) duty.onDeposed();
    }
    this.reads.onLeadershipChange();
    this.writes.retryWaiting();
  }

  /** Stops for good: it cannot vouch for itself. Idempotent. */
  fail(reason: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#ticker.stop();
    void this.driver.stop();
    this.refuseRequests('This member failed and is stopping');
    this.#deadlines.expireAll();
    this.options.onFailure(reason);
  }

  /** Resolves when the condition holds, the time is up, or this member has failed. Looked at every few milliseconds. */
  async until(condition: () => boolean, deadlineMs: number): Promise<void> {
    const { clock } = this.options;
    while (!condition() && clock.monotonicMs() < deadlineMs && !this.#failed) {
      await new Promise<void>((resolve) => {
        clock.setTimer(5, resolve);
      });
    }
  }
}

const removedAdvice =
  'This member was removed from its cluster and takes part no more. To bring the machine back, delete its data directory ' +
  'and add it as a new member: balsa member add.';

/** A command in the log that cannot be read stops every member; a peer must not be able to put one there. */
function objectionTo(command: Uint8Array): BalsaError | undefined {
  try {
    decodeCommand(command);
    return undefined;
  } catch (cause) {
    const detail = 'The forwarded command cannot be read by the leader; run the same version of Balsa on all members.';
    return new BalsaError('bad_request', detail, { cause });
  }
}

/** A member tells the cluster, through the log, how clients reach it. */
export function publishCommand(member: {
  id: string;
  name: string;
  clientUrls: readonly string[];
  version: string;
}): Buffer {
  return encodeCommand({
    kind: 'publish',
    memberId: member.id,
    name: member.name,
    clientUrls: member.clientUrls,
    version: member.version,
  });
}
