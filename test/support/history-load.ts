import { type Random, seededRandom } from '../../src/base/random.ts';
import type { Action, Operation } from '../checking/history.ts';
import type { NodeProcess } from './processes.ts';
import { type Answer, isOk, send, txnBody } from './send.ts';

/** What the client knows of a key: a value that it saw, and the entity tag that came with it. */
interface Seen {
  readonly value: string;
  readonly tag: string;
}

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
      const answer = await send(url + (consistencies[choice] ?? ''), { method: 'GET' }, answers);
      if (typeof answer === 'string') return false;
      const found = answer.status === 200 ? answer.text : null;
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
    const isTxn = choice === 9 && known !== undefined;
    const [request, action] = isTxn ? swapByTxn(key, value, known) : writeOf(choice - 2, value, known);
    const answer = await send(isTxn ? `${node.url}/v1/txn?timeout=1s` : url, request, answers);
    if (answer === 'refused') return false;
    if (answer === 'unknown') {
      this.#note({ client, key, action: action(true), startMs, endMs: Number.POSITIVE_INFINITY });
      return false;
    }
    const { done, revision } = request.method === 'POST' ? toldOfTxn(answer) : toldOfWrite(answer, request.method);
    if (done && revision !== undefined) seen.set(key, { value, tag: `"${revision}"` });
    const told = { client, key, action: action(done), startMs, endMs: performance.now() };
    this.#note(done && revision !== undefined ? { ...told, revision } : told);
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

/** The same swap, as a transaction. */
function swapByTxn(key: string, value: string, known: Seen): [RequestInit, (done: boolean) => Action] {
  const body = txnBody([{ key, modRevision: { '=': revisionOf(known.tag) } }], [{ put: { key, value } }]);
  return [{ method: 'POST', body }, (done) => ({ kind: 'swap', expected: known.value, value, done })];
}

/** Whether a write was done, and its revision if it was. */
interface Told {
  readonly done: boolean;
  readonly revision: number | undefined;
}

function toldOfTxn({ text }: Answer): Told {
  const { succeeded, revision } = JSON.parse(text) as { succeeded: boolean; revision: number };
  return { done: succeeded, revision };
}

function toldOfWrite(answer: Answer, method: string | undefined): Told {
  const tag = answer.headers.get('etag');
  const revision = method === 'DELETE' ? answer.headers.get('balsa-revision') : tag && revisionOf(tag);
  return { done: isOk(answer), revision: revision === null ? undefined : Number(revision) };
}

/** Statuses that answer the question: done, there is no such key, the condition does not hold. */
const answers = [200, 201, 404, 412];
