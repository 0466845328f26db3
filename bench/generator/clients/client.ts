export interface Pair {
  readonly key: string;
  readonly value: string;
}

export interface ReadMode {
  /** From the node's own state, without asking the leader; etcd calls it serializable. */
  readonly stale: boolean;
}

/** An answer that is taken apart only when asked: what the generator does with it is no part of the server's time. */
export interface Page {
  keyCount(): number;
}

export interface WatchedRange {
  readonly text: string;
  readonly isPrefix: boolean;
}

export interface WatchListener {
  /** In the order of arrival. */
  onEvent(event: Pair): void;
  /** The stream ended without being closed by this side. */
  onEnd(reason: string): void;
}

export interface Watch {
  /** Stops reading: what arrives stays in the kernel's buffers, then at the server. */
  pause(): void;
  resume(): void;
  close(): void;
}

/**
 * What the trials ask of a server, over the way that its own users take: REST over HTTP/1.1 for Balsa, gRPC over HTTP/2
 * for etcd. Both sides are written on Node's own HTTP and encode by hand, so that a request costs the generator about the
 * same. Everything rejects with what the server said.
 *
 * Keys and values are of letters, digits and `-_/. `, which need no escaping in JSON.
 */
export interface Client {
  /** Rejects after `timeoutMs` without an answer; absent: 30 s. The put may have happened. */
  put(pair: Pair, timeoutMs?: number): Promise<void>;
  /** All in one transaction. */
  putAll(pairs: readonly Pair[]): Promise<void>;
  get(key: string, mode: ReadMode): Promise<string | undefined>;
  page(prefix: string, limit: number, mode: ReadMode): Promise<Page>;
  count(prefix: string): Promise<number>;
  /** Resolves when the server has begun the watch: what is written after that has to arrive. */
  watch(range: WatchedRange, listener: WatchListener): Promise<Watch>;
  close(): void;
}

/** The server has answered, and not with what was asked for. */
export class RefusedError extends Error {
  /** The same request may succeed a moment later: an election, too much to do. */
  readonly isTemporary: boolean;

  constructor(message: string, options: { readonly isTemporary: boolean }) {
    super(message);
    this.isTemporary = options.isTemporary;
  }
}

export interface ClientOptions {
  readonly url: string;
  /** Requests wait for a free connection (HTTP/1.1) or share them (HTTP/2). */
  readonly connections: number;
  /** The address that connections leave from; each has its own 28,000 ports on Linux. */
  readonly localAddress?: string;
  /** HTTP/1.1: connections take turns, so that none is idle for so long that it is closed. */
  readonly takesTurns?: boolean;
}
