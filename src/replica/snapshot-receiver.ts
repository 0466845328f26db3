import type { Clock } from '../base/clock.ts';
import type { RaftCore, Snapshot, SnapshotOffer } from '../raft/index.ts';
import { RunningDigest } from '../storage/index.ts';
import type { Transport } from '../transport/index.ts';
import type { IncomingSnapshots } from './driver.ts';
import type { IncomingStore } from './incoming-store.ts';
import type { State } from './open-state.ts';
import { peerRequestKinds } from './peer-request-kinds.ts';
import type { ReplicaLog } from './replica-log.ts';
import {
  type ChunkAnswer,
  type ChunkQuestion,
  decodeChunkAnswer,
  decodeDescription,
  encodeChunkQuestion,
  type TransferDescription,
} from './snapshot-transfer.ts';

export interface SnapshotReceiverOptions {
  readonly core: Pick<RaftCore, 'term'>;
  readonly transport: Pick<Transport, 'request'>;
  readonly groupId: number;
  readonly state: Pick<State, 'beginIncoming' | 'exchangeStore'>;
  readonly clock: Clock;
  readonly logger: ReplicaLog;
  /** Something was received: the driver has to look. */
  readonly wake: () => void;
}

export interface ReceivingProgress {
  readonly from: string;
  readonly index: number;
  readonly bytes: number;
  /** About as many. */
  readonly bytesExpected: number;
}

const openTimeoutMs = 10_000;
const chunkTimeoutMs = 10_000;
/** A chunk that does not come, or comes damaged, is asked for so often; then the next offer begins anew. */
const attemptsMax = 6;
const retryMs = 200;
/**
 * What was offered and cannot be taken in, because the disk is full perhaps, is fetched anew after that long at most: each
 * attempt costs the leader a flush, and both all the bytes up to where it fails.
 */
const pauseMsMax = 10_000;

interface Opened {
  readonly described: TransferDescription;
  /** Over the description so far. */
  readonly digest: RunningDigest;
}

/** The transfer is over for the sender, or is no longer wanted here. */
class TransferEnded extends Error {}

/**
 * Fetches the store of the leader that offered it, into a new place. The newest offer counts: one by another leader, or
 * of another term, ends what is under way.
 */
export class SnapshotReceiver implements IncomingSnapshots {
  readonly #options: SnapshotReceiverOptions;
  #current: { readonly offer: SnapshotOffer; readonly done: Promise<void> } | undefined;
  #received: { readonly snapshot: Snapshot; readonly incoming: IncomingStore } | undefined;
  #progress: ReceivingProgress | undefined;
  #isClosed = false;
  /** Attempts that failed, one after another. */
  #failures = 0;
  #endPause: () => void = () => undefined;

  constructor(options: SnapshotReceiverOptions) {
    this.#options = options;
  }

  /** What is being received; for people. */
  get progress(): ReceivingProgress | undefined {
    return this.#progress;
  }

  exchangeStore(): Promise<void> {
    return this.#options.state.exchangeStore();
  }

  /** One that is whole, verified and durable. */
  get received(): Snapshot | undefined {
    return this.#received?.snapshot;
  }

  /** What was received is installed, or else of no use. */
  async settle(isInstalled: boolean): Promise<void> {
    const received = this.#received;
    this.#received = undefined;
    if (!isInstalled) await received?.incoming.discard();
  }

  onOffer(offer: SnapshotOffer): void {
    if (this.#isClosed || this.#received !== undefined) return;
    const present = this.#current;
    if (present !== undefined && isSame(present.offer, offer)) return;
    const before = present?.done ?? Promise.resolve();
    // What another leader offers may be what can be taken in.
    this.#endPause();
    const current = { offer, done: before.then(() => this.#receive(offer)) };
    this.#current = current;
    void current.done.then(() => {
      if (this.#current === current) this.#current = undefined;
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endPause();
    const present = this.#current;
    this.#current = undefined;
    await present?.done;
  }

  async #receive(offer: SnapshotOffer): Promise<void> {
    const { logger, clock } = this.#options;
    const startedMs = clock.monotonicMs();
    let incoming: IncomingStore | undefined;
    try {
      this.#refuseUnwanted(offer);
      const opened = await this.#open(offer);
      const { described } = opened;
      logger.info('receiving a snapshot', { from: offer.from, index: described.index, bytes: described.bytesExpected });
      incoming = await this.#options.state.beginIncoming();
      await this.#fetch(offer, opened, incoming);
      const { appliedIndex, records, bytes } = await incoming.finish();
      if (appliedIndex !== described.index) throw new Error(`it holds index ${appliedIndex}, not ${described.index}`);
      this.#refuseUnwanted(offer);
      const { index, term, configuration } = described;
      this.#received = { snapshot: { index, term, configuration }, incoming };
      this.#failures = 0;
      const ms = Math.round(clock.monotonicMs() - startedMs);
      logger.info('snapshot received', { from: offer.from, index, records, bytes, ms });
      this.#options.wake();
    } catch (reason) {
      await incoming?.discard().catch(() => undefined);
      const isOver = reason instanceof TransferEnded;
      if (!isOver) logger.warn('snapshot not received', { from: offer.from, reason });
      // Not at once again: the next offer comes with the next heartbeat.
      if (!this.#isClosed) await this.#pause(isOver ? retryMs : this.#nextPauseMs());
    } finally {
      this.#progress = undefined;
    }
  }

  /** Twice as long after each failure. */
  #nextPauseMs(): number {
    return Math.min(pauseMsMax, retryMs * 2 ** this.#failures++);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.setTimer(ms, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  async #open({ from }: SnapshotOffer): Promise<Opened> {
    const answer = await this.#ask(from, peerRequestKinds.snapshotOpen, Buffer.alloc(0), openTimeoutMs);
    if (answer === undefined) throw new TransferEnded('the leader has no snapshot for this member yet');
    const described = decodeDescription(answer);
    if (described === undefined) {
      throw new Error(
        'the leader describes its snapshot in a way that this version does not know; upgrade this member',
      );
    }
    const digest = new RunningDigest();
    digest.add(answer);
    return { described, digest };
  }

  async #fetch(offer: SnapshotOffer, { described, digest }: Opened, incoming: IncomingStore): Promise<void> {
    const { transfer, index, bytesExpected } = described;
    let bytes = 0;
    let before = digest;
    for (let chunk = 0; ; chunk++) {
      this.#progress = { from: offer.from, index, bytes, bytesExpected };
      const { answer, after } = await this.#chunk(offer, { transfer, chunk }, before);
      if (answer.kind === 'end') return;
      before = after;
      bytes += answer.data.length;
      await incoming.write(answer.data);
    }
  }

  /** One that is what was sent: its digest fits what came before. */
  async #chunk(offer: SnapshotOffer, question: ChunkQuestion, before: RunningDigest): Promise<Verified> {
    const { clock, logger } = this.#options;
    const { chunk } = question;
    for (let attempt = 1; ; attempt++) {
      this.#refuseUnwanted(offer);
      const body = await this.#ask(
        offer.from,
        peerRequestKinds.snapshotChunk,
        encodeChunkQuestion(question),
        chunkTimeoutMs,
      );
      const verified = body && verify(body, before);
      if (verified === 'gone') throw new TransferEnded('the leader has ended the transfer');
      if (typeof verified === 'object') return verified;
      const problem = body === undefined ? 'did not come' : 'came damaged';
      if (attempt === attemptsMax) throw new Error(`chunk ${chunk} ${problem}`);
      if (body !== undefined) logger.warn('chunk of a snapshot damaged', { from: offer.from, chunk });
      await new Promise<void>((resolve) => clock.setTimer(retryMs, resolve));
    }
  }

  async #ask(from: string, kind: number, body: Uint8Array, timeoutMs: number): Promise<Uint8Array | undefined> {
    const { transport, groupId } = this.#options;
    const answer = await transport.request(from, { groupId, kind, body, timeoutMs, channel: 'bulk' });
    return answer.outcome === 'answered' ? answer.body : undefined;
  }

  #refuseUnwanted(offer: SnapshotOffer): void {
    const { core } = this.#options;
    if (this.#isClosed || core.term !== offer.term) throw new TransferEnded('another leader');
    const present = this.#current;
    if (present !== undefined && !isSame(present.offer, offer)) throw new TransferEnded('a newer offer');
  }
}

interface Verified {
  readonly answer: Exclude<ChunkAnswer, { readonly kind: 'gone' }>;
  readonly after: RunningDigest;
}

function verify(body: Uint8Array, before: RunningDigest): Verified | 'gone' | 'damaged' {
  const answer = decodeChunkAnswer(body);
  if (answer === undefined) return 'damaged';
  if (answer.kind === 'gone') return 'gone';
  const after = before.fork();
  if (answer.kind === 'data') after.add(answer.data);
  return Buffer.compare(after.value(), answer.digest) === 0 ? { answer, after } : 'damaged';
}

function isSame(a: SnapshotOffer, b: SnapshotOffer): boolean {
  return a.from === b.from && a.term === b.term;
}
