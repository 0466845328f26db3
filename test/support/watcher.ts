import { keyRange, prefixRange } from '../../src/contract/key-range.ts';
import type { WatchRequest } from '../../src/contract/watch.ts';
import type { Observation, SeenRevision, Sighting } from '../model/watch-checker.ts';
import type { Endpoint } from './send.ts';
import { MessageReader, type WatchEnd, type WatchForm } from './watch-messages.ts';

export interface WatcherOptions {
  /** In the order in which they are asked when a watch is cut. */
  readonly nodes: readonly Endpoint[];
  readonly target: { readonly key: string } | { readonly prefix: string };
  readonly form?: WatchForm;
  /** Undefined: from now on. */
  readonly revision?: number;
  readonly filter?: 'put' | 'delete';
  readonly previous?: boolean;
  /** A compaction that was acknowledged; asked for before each watch. */
  readonly compacted?: () => number;
  /** A reader takes that long a rest after each piece that it reads. */
  readonly restMs?: () => number;
  /** A client that goes away after so many pieces, and comes back when that time is over: perhaps too late. */
  readonly leaves?: { readonly pieces: number; readonly awayMs: () => number };
  readonly onBatch?: (batch: SeenRevision) => void;
}

/** A watch says at least that it is there. */
const progressMs = 500;
/** A watch that says nothing for so long is given up: its node is paused, or cut off without knowing. */
const silenceMsMax = 3000;

/**
 * A client that watches, and goes on at the next node whenever it is cut off: an event stream by the `Last-Event-ID` that
 * a browser sends, lines of JSON by `revision`. It writes down all that it is told, for `WatchChecker`.
 */
export class Watcher implements AsyncDisposable {
  /**
   * Watches of one client that went on where they were cut. Only one that was told of a compaction begins anew, at the
   * oldest revision that is kept.
   */
  readonly chains: Observation[][] = [[]];
  /** How its watches were ended by their servers. */
  readonly ends: WatchEnd[] = [];
  readonly #options: WatcherOptions;
  readonly #running: Promise<void>;
  readonly #opened: Promise<void>;
  #open: () => void = () => undefined;
  #abort = new AbortController();
  #next: number | undefined;
  #lastTold = 0;
  #goal = Number.POSITIVE_INFINITY;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#next = options.revision;
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.#running = this.#run();
  }

  /** For messages. */
  get name(): string {
    return `${this.#form} of ${JSON.stringify(this.#options.target)}`;
  }

  /** Once the first watch has begun: what is written from now on will be told. */
  opened(): Promise<void> {
    return this.#opened;
  }

  /** Everything up to here has been told, if it concerns this watcher. */
  get told(): number {
    return this.#lastTold;
  }

  /** How often a watch began, with what the others went on from. */
  get parts(): number {
    return this.chains.reduce((sum, chain) => sum + chain.length, 0);
  }

  get batches(): readonly SeenRevision[] {
    return this.chains.flat().flatMap(({ seen }) => seen.filter((sighting) => sighting.kind === 'batch'));
  }

  /** Until it has been told everything up to this revision; it watches no longer then. */
  async until(revision: number): Promise<void> {
    this.#goal = revision;
    if (this.#lastTold >= revision) this.#abort.abort();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#goal = 0;
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let attempt = 0; this.#lastTold < this.#goal; attempt++) {
      const node = this.#options.nodes[attempt % this.#options.nodes.length];
      if (node === undefined) throw new Error('no nodes');
      this.#abort = new AbortController();
      const isOpened = await this.#watch(node);
      const { leaves } = this.#options;
      if (isOpened && leaves !== undefined && this.#goal === Number.POSITIVE_INFINITY) {
        await new Promise((resolve) => setTimeout(resolve, leaves.awayMs()));
      }
      // A node that is down refuses at once.
      if (!isOpened) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** One watch, to its end, whatever that is; false if there was none. */
  async #watch(node: Endpoint): Promise<boolean> {
    const { signal } = this.#abort;
    const compactedBefore = this.#options.compacted?.() ?? 0;
    const answer = await this.#alarmed(
      fetch(`${node.url}/v1/watch?${this.#query()}`, { headers: this.#headers(), signal }),
    );
    const { body } = answer ?? {};
    if (!answer?.ok || body === null || body === undefined) {
      await body?.cancel().catch(() => undefined);
      return false;
    }
    const beganAt = Number(answer.headers.get('balsa-revision'));
    const seen: Sighting[] = [];
    const request = this.#request();
    this.#next ??= beganAt + 1;
    this.#open();
    const chain = this.chains.at(-1) ?? [];
    const observation = { request, beganAt, compactedBefore, seen, completeTo: undefined };
    const place = chain.push(observation) - 1;
    const isOver = await this.#read(body, seen);
    if (isOver) chain[place] = { ...observation, completeTo: this.#goal };
    const end = seen.at(-1);
    if (end?.kind === 'compacted') {
      this.#next = end.compactRevision;
      this.chains.push([]);
    }
    return true;
  }

  /** True if it was told everything that it wants to know. */
  async #read(body: ReadableStream<Uint8Array>, seen: Sighting[]): Promise<boolean> {
    const { restMs, leaves } = this.#options;
    const decoder = new TextDecoder();
    const messages = new MessageReader(this.#form);
    const reader = body.getReader();
    try {
      for (let pieces = 0; pieces < (leaves?.pieces ?? Number.POSITIVE_INFINITY); pieces++) {
        const piece = await this.#alarmed(reader.read());
        if (piece?.value === undefined) break;
        for (const message of messages.read(decoder.decode(piece.value, { stream: true }))) {
          if ('code' in message) this.ends.push(message);
          else this.#note(message, seen);
        }
        if (this.#lastTold >= this.#goal) return true;
        if (seen.at(-1)?.kind === 'compacted') return false;
        if (restMs !== undefined) await new Promise((resolve) => setTimeout(resolve, restMs()));
      }
    } finally {
      this.#abort.abort();
    }
    seen.push({ kind: 'broken' });
    return false;
  }

  #note(sighting: Sighting, seen: Sighting[]): void {
    // The beginning of an answer says what the events come after, which is what was asked for and is news to nobody.
    const isBeginning = sighting.kind === 'progress' && seen.length === 0 && sighting.revision + 1 === this.#next;
    if (isBeginning && sighting.revision < this.#goal) return;
    seen.push(sighting);
    if (sighting.kind !== 'batch' && sighting.kind !== 'progress') return;
    this.#next = Math.max(this.#next ?? 0, sighting.revision + 1);
    this.#lastTold = Math.max(this.#lastTold, sighting.revision);
    if (sighting.kind === 'batch') this.#options.onBatch?.(sighting);
  }

  /** What comes in time; undefined for what fails, or is given up. */
  async #alarmed<T>(coming: Promise<T>): Promise<T | undefined> {
    const alarm = setTimeout(() => this.#abort.abort(), silenceMsMax);
    try {
      return await coming;
    } catch (reason) {
      if (reason instanceof SyntaxError) throw reason;
      return undefined;
    } finally {
      clearTimeout(alarm);
    }
  }

  get #form(): WatchForm {
    return this.#options.form ?? 'application/x-ndjson';
  }

  #request(): WatchRequest {
    const { target, filter, previous = false } = this.#options;
    const range = 'key' in target ? keyRange(Buffer.from(target.key)) : prefixRange(Buffer.from(target.prefix));
    return { range, revision: this.#next, previous, filter };
  }

  /** As an `EventSource` it keeps the URL of the first time. */
  #query(): string {
    const { target, filter, previous, revision } = this.#options;
    const query = new URLSearchParams({ ...target, progress: `${progressMs}ms`, timeout: '1s' });
    if (previous) query.set('prevKv', 'true');
    if (filter !== undefined) query.set('filter', filter);
    const from = this.#form === 'text/event-stream' ? revision : this.#next;
    if (from !== undefined) query.set('revision', `${from}`);
    return query.toString();
  }

  #headers(): Record<string, string> {
    const isResumed =
      this.#form === 'text/event-stream' && this.#next !== undefined && this.#next !== this.#options.revision;
    return { accept: this.#form, ...(isResumed ? { 'last-event-id': `${(this.#next ?? 0) - 1}` } : {}) };
  }
}
