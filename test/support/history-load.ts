import { type Random, seededRandom } from '../../src/base/random.ts';
import type { Action, Operation } from '../checking/history.ts';
import type { NodeProcess } from './processes.ts';
import { isConnectionRefused } from './refused-connection.ts';

/** A node that is paused answers nothing; the client has other nodes to ask. */
const requestMsMax = 2000;

/** What the client knows of a key: a value that it saw, and the entity tag that came with it. */
interface Seen {
  readonly value: string;
  readonly tag: string;
}

/** How a request ended: with an answer, certainly without effect, or without anybody knowing. */
type Outcome = { readonly answer: Response } | 'refused' | 'unknown';

/**
 * Clients that put, create, swap, delete and read a few keys through all nodes, at random and without pause, and write
 * down what they asked and what they were told. A read that may be stale counts as one that was asked as much earlier as
 * the state was old.
 */
export class HistoryLoad implements AsyncDisposable {
  /** What ended so far; complete when `stop` has resolved. */
  readonly history: Operation[] = [];
  readonly #nodes: readonly NodeProcess[];
  readonly #keys: number;
  readonly #generationMs: number;
  readonly #startedMs = performance.now();
  readonly #running: Promise<void>[];
  #stopping = false;

  /** `generationMs`: after that time other keys are used, so that no key's history gets too long to be searched. */
  constructor(
    nodes: readonly NodeProcess[],
    options: { clients: number; keys: number; seed: number; generationMs?: number },
  ) {
    this.#nodes = nodes;
    this.#keys = options.keys;
    this.#generationMs = options.generationMs ?? Number.POSITIVE_INFINITY;
    this.#running = Array.from({ length: options.clients }, (_, client) =>
      this.#run(client, seededRandom(options.seed + client)),
    );
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(client: number, random: Random): Promise<void> {
    const seen = new Map<string, Seen>();
    for (let count = 0; !this.#stopping; count++) {
      const generation = Math.floor((performance.now() - this.#startedMs) / this.#generationMs);
      const key = `history/${generation}-${random.below(this.#keys)}`;
      const node = this.#nodes[random.below(this.#nodes.length)];
      if (node === undefined) throw new Error('no nodes');
      const isAnswered = await this.#request(client, node, key, `${client}-${count}`, random.below(12), seen);
      // A node that is down refuses at once; without a pause the loop would only produce refusals.
      if (!isAnswered) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** One request of a kind that `choice` (0 to 11) names; true if it was answered. */
  async #request(
    client: number,
    node: NodeProcess,
    key: string,
    value: string,
    choice: number,
    seen: Map<string, Seen>,
  ): Promise<boolean> {
    const url = `${node.url}/v1/kv/${key}?timeout=1s`;
    const known = seen.get(key);
    const startMs = performance.now();
    if (choice < 6) {
      const outcome = await send(url + (consistencies[choice] ?? ''), { method: 'GET' });
      if (typeof outcome === 'string') return false;
      const { answer } = outcome;
      const text = await answer.text().catch(() => undefined);
      // The node died in the middle of its answer: nothing was told.
      if (text === undefined) return false;
      const found = answer.status === 200 ? text : null;
      const tag = answer.headers.get('etag');
      if (found !== null && tag !== null) seen.set(key, { value: found, tag });
      const stalenessMs = Number(answer.headers.get('balsa-staleness-ms') ?? 0);
      this.#note({
        client,
        key,
        action: { kind: 'get', value: found },
        startMs: Math.max(0, startMs - stalenessMs),
        endMs: performance.now(),
        revision: Number(answer.headers.get('balsa-revision')),
        ...(tag === null ? {} : { modRevision: revisionOf(tag) }),
      });
      return true;
    }
    const [request, action] = writeOf(choice - 2, value, known);
    const outcome = await send(url, request);
    if (outcome === 'refused') return false;
    if (outcome === 'unknown') {
      this.#note({ client, key, action: action(true), startMs, endMs: Number.POSITIVE_INFINITY });
      return false;
    }
    const { answer } = outcome;
    const tag = answer.headers.get('etag');
    if (answer.ok && tag !== null) seen.set(key, { value, tag });
    const told = { client, key, action: action(answer.ok), startMs, endMs: performance.now() };
    const revision =
      request.method === 'DELETE' ? Number(answer.headers.get('balsa-revision')) : tag && revisionOf(tag);
    this.#note(answer.ok && typeof revision === 'number' ? { ...told, revision } : told);
    return true;
  }

  #note(operation: Operation): void {
    this.history.push(operation);
  }
}

/** How reads are asked, by their kind; most of them linearizable. */
const consistencies = ['', '', '', '', '&consistency=stale', '&consistency=bounded&maxStaleness=500ms'];

/** An entity tag is the revision of the last change, in quotes. */
function revisionOf(tag: string): number {
  return Number(tag.replaceAll('"', ''));
}

/** The request, and what it will have been, once it is known whether its condition held. */
function writeOf(choice: number, value: string, known: Seen | undefined): [RequestInit, (done: boolean) => Action] {
  if (choice === 4) return [{ method: 'DELETE' }, (done) => ({ kind: 'delete', done })];
  if (choice === 5) {
    const headers = { 'if-none-match': '*' };
    return [{ method: 'PUT', body: value, headers }, (done) => ({ kind: 'create', value, done })];
  }
  if (choice <= 7 && known !== undefined) {
    const headers = { 'if-match': known.tag };
    const expected = known.value;
    return [{ method: 'PUT', body: value, headers }, (done) => ({ kind: 'swap', expected, value, done })];
  }
  return [{ method: 'PUT', body: value }, () => ({ kind: 'put', value })];
}

/** Statuses that answer the question: done, there is no such key, the condition does not hold. */
const answers = [200, 201, 404, 412];

async function send(url: string, request: RequestInit): Promise<Outcome> {
  try {
    const answer = await fetch(url, { ...request, signal: AbortSignal.timeout(requestMsMax) });
    if (answers.includes(answer.status)) return { answer };
    const problem = (await answer.json()) as { code?: unknown };
    return problem.code === 'outcome_unknown' ? 'unknown' : 'refused';
  } catch (reason) {
    return isConnectionRefused(reason) ? 'refused' : 'unknown';
  }
}
