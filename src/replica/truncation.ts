import type { FollowerView, LogIndex } from '../raft/index.ts';

export interface TruncationOptions {
  /** Entries kept behind what the store has on disk, for members that were away for a while. */
  readonly keptEntries: number;
  /** Bytes of their data that are kept at most, as far as this process has seen them. */
  readonly keptBytes: number;
}

/** The log is cut when it is that much longer than what is kept, so that each cut is worth its while. */
const slackShare = 0.25;
/** Places whose bytes are remembered lie that far apart. */
const markEntries = 256;
/** A follower that keeps up but for that many times what is kept is spared a snapshot. */
const patience = 4;

/** Who still needs what of the log. */
export interface LogUse {
  readonly firstIndex: LogIndex;
  /** What the store has on disk. */
  readonly durableIndex: LogIndex;
  readonly followers: () => readonly FollowerView[];
  /** A member that is fed by a snapshot needs all that follows it. */
  readonly neededFrom: () => LogIndex | undefined;
}

/** Decides how much of the log may be dropped. */
export class Truncation {
  readonly #options: TruncationOptions;
  #marks: { readonly index: LogIndex; readonly bytes: number }[] = [];
  #bytes = 0;

  constructor(options: TruncationOptions) {
    this.#options = options;
  }

  noteAppended(index: LogIndex, bytes: number): void {
    this.#bytes += bytes;
    const last = this.#marks.at(-1);
    // A suffix that is replaced counts twice until its marks are dropped: the log is then cut a little early.
    if (last === undefined || index >= last.index + markEntries) this.#marks.push({ index, bytes: this.#bytes });
  }

  /** The index up to which the log may be dropped; undefined if that is not worth it. Asked with every write. */
  dropTo({ firstIndex, durableIndex, followers, neededFrom }: LogUse): LogIndex | undefined {
    const { keptEntries } = this.#options;
    const old = Math.min(durableIndex, Math.max(durableIndex - keptEntries, this.#tooManyBytesUpTo()));
    const worthwhile = Math.max(1, slackShare * Math.min(keptEntries, durableIndex - old));
    if (old - firstIndex + 1 < worthwhile) return undefined;
    const needed = followers()
      .filter((follower) => follower.recentlyActive && follower.state !== 'snapshot')
      .map((follower) => follower.matchIndex)
      .filter((matchIndex) => matchIndex > durableIndex - patience * keptEntries);
    const target = Math.min(old, neededFrom() ?? Number.POSITIVE_INFINITY, ...needed);
    if (target - firstIndex + 1 < worthwhile) return undefined;
    this.#marks = this.#marks.filter(({ index }) => index > target);
    return target;
  }

  #tooManyBytesUpTo(): LogIndex {
    const over = this.#marks.findLast(({ bytes }) => this.#bytes - bytes > this.#options.keptBytes);
    return over?.index ?? 0;
  }
}
