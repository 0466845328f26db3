import type { Clock } from '../base/clock.ts';
import type { Store, StoreExport } from '../mvcc/index.ts';
import type { LogIndex } from '../raft/index.ts';
import { type RaftLog, RunningDigest } from '../storage/index.ts';
import type { ReplicaLog } from './replica-log.ts';
import { positionOf } from './snapshot-position.ts';
import { chunkBytes, decodeChunkQuestion, encodeChunkAnswer, encodeDescription } from './snapshot-transfer.ts';

/** A follower that asks for nothing that long has gone, or begins anew. */
const silentMs = 30_000;
/** Each keeps LevelDB from reclaiming space, and the log from being truncated. */
const transfersMax = 3;
/**
 * After a chunk was read nothing is read for that many times as long: a third of the time at most goes to a follower. A
 * slice of a chunk waits for its turn in the event loop, so a leader that is busy reads slowly, and then rests longer.
 */
const restShare = 2;
/** However slow it is, a follower has to get further. */
const restMsMax = 250;

export interface SnapshotSenderOptions {
  readonly log: Pick<RaftLog, 'term' | 'configurations'>;
  readonly store: Pick<Store, 'openExport' | 'flush'>;
  readonly clock: Clock;
  readonly logger: ReplicaLog;
}

interface Transfer {
  readonly to: string;
  readonly source: StoreExport;
  /** Over what was given so far. */
  readonly digest: RunningDigest;
  /** Chunks that were read. The last one is kept, because it may be asked for again. */
  chunks: number;
  last: Uint8Array;
  reading: Promise<Uint8Array> | undefined;
  /** Nothing is left to be read: only the log is kept, until the follower goes on from there. */
  isRead: boolean;
  askedMs: number;
  /** Nothing is read before. */
  restUntilMs: number;
}

/**
 * Gives its store away, as it is on disk at the moment it is asked. Followers ask chunk by chunk, so a slow one costs a
 * chunk of memory and nothing else.
 */
export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #transfers = new Map<number, Transfer>();
  #opening = 0;
  #isClosed = false;
  #lastNumber = 0;

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  /** Entries behind it are needed by a member that is being fed. */
  get neededFrom(): LogIndex | undefined {
    const indexes = [...this.#transfers.values()].map(({ source }) => source.appliedIndex);
    return indexes.length === 0 ? undefined : Math.min(...indexes);
  }

  endSilent(): void {
    const now = this.#options.clock.monotonicMs();
    for (const [number, { askedMs }] of this.#transfers) if (now - askedMs > silentMs) void this.#end(number);
  }

  /** Ends all that is under way; the followers ask whoever leads then. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#transfers.keys()].map((number) => this.#end(number)));
  }

  /** For a member that was offered one. Rejects if that cannot be now: it asks again. */
  async open(to: string): Promise<Uint8Array> {
    // Whoever opens anew has given up what it had.
    for (const [number, transfer] of this.#transfers) if (transfer.to === to) await this.#end(number);
    const reading = [...this.#transfers.values()].filter(({ isRead }) => !isRead).length;
    if (reading + this.#opening >= transfersMax) throw new Error('too many snapshots are under way');
    this.#opening++;
    try {
      // What is on disk lags behind what was offered; who got less would be offered it again.
      await this.#options.store.flush();
      return await this.#opened(to, await this.#options.store.openExport());
    } finally {
      this.#opening--;
    }
  }

  async #opened(to: string, source: StoreExport): Promise<Uint8Array> {
    const { log, logger, clock } = this.#options;
    const position = positionOf(source, log);
    if (position === undefined || this.#isClosed) {
      await source.close();
      throw new Error('the log does not reach back to what the store holds; ask again');
    }
    const transfer = ++this.#lastNumber;
    const description = encodeDescription({ transfer, ...position, bytesExpected: source.bytesExpected });
    const digest = new RunningDigest();
    digest.add(description);
    this.#transfers.set(transfer, {
      to,
      source,
      digest,
      chunks: 0,
      last: new Uint8Array(),
      reading: undefined,
      isRead: false,
      askedMs: clock.monotonicMs(),
      restUntilMs: -Infinity,
    });
    logger.info('sending a snapshot', { to, index: source.appliedIndex, bytes: source.bytesExpected });
    return description;
  }

  /** The next chunk of what it opened. */
  async chunk(body: Uint8Array): Promise<Uint8Array> {
    const question = decodeChunkQuestion(body);
    const transfer = question && this.#transfers.get(question.transfer);
    if (question === undefined || transfer === undefined) return gone;
    transfer.askedMs = this.#options.clock.monotonicMs();
    if (question.chunk === transfer.chunks) {
      transfer.reading ??= this.#read(question.transfer, transfer);
      return transfer.reading;
    }
    if (question.chunk === transfer.chunks - 1) return transfer.last;
    return gone;
  }

  async #read(number: number, transfer: Transfer): Promise<Uint8Array> {
    const { clock, logger } = this.#options;
    try {
      await this.#rest(transfer);
      if (!this.#transfers.has(number)) return gone;
      const begunMs = clock.monotonicMs();
      const data = await transfer.source.next(chunkBytes);
      if (data !== undefined) transfer.digest.add(data);
      const digest = transfer.digest.value();
      transfer.last = encodeChunkAnswer(data === undefined ? { kind: 'end', digest } : { kind: 'data', digest, data });
      transfer.chunks++;
      const endedMs = clock.monotonicMs();
      transfer.restUntilMs = endedMs + Math.min(restMsMax, restShare * (endedMs - begunMs));
      if (data === undefined) {
        transfer.isRead = true;
        await transfer.source.close();
        logger.info('snapshot sent', { to: transfer.to });
      }
      return transfer.last;
    } catch (reason) {
      await this.#end(number);
      throw reason;
    } finally {
      transfer.reading = undefined;
    }
  }

  async #rest({ restUntilMs }: Transfer): Promise<void> {
    const { clock } = this.#options;
    const restMs = restUntilMs - clock.monotonicMs();
    if (restMs > 0) await new Promise<void>((resolve) => clock.setTimer(restMs, resolve));
  }

  async #end(number: number): Promise<void> {
    const transfer = this.#transfers.get(number);
    this.#transfers.delete(number);
    if (transfer?.isRead === false) await transfer.source.close();
  }
}

const gone = encodeChunkAnswer({ kind: 'gone' });
