import { type Random, seededRandom } from '../../src/base/random.ts';
import type { PastStates } from '../checking/event-log.ts';
import { type Answer, type Endpoint, inTurn, isOk, send, sendUntilAnswered, txnBody } from './send.ts';
import { digested } from './watch-messages.ts';

/** What one write under an idempotency key was told. */
interface ToldWrite {
  readonly key: string;
  /** `null`: it was deleted. */
  readonly value: string | null;
  /** Undefined: its condition did not hold. */
  readonly revision: number | undefined;
}

const longValueCharacters = 16 * 1024;

/**
 * Clients whose every write carries an idempotency key and is sent again, through other nodes, until it is answered; now
 * and then also afterwards. What they put, delete and count must have been done exactly as often as they were told.
 */
export class RetryLoad implements AsyncDisposable {
  readonly #told: ToldWrite[] = [];
  /** What must never be; empty in a run without a fault of Balsa's. */
  readonly violations: string[] = [];
  readonly #nodes: readonly Endpoint[];
  readonly #restMs: number;
  readonly #running: Promise<void>[];
  #attempts = 0;
  #stopping = false;

  /** `restMs`: between two writes of a client. */
  constructor(nodes: readonly Endpoint[], options: { clients: number; seed: number; restMs: number }) {
    this.#nodes = nodes;
    this.#restMs = options.restMs;
    this.#running = Array.from({ length: options.clients }, (_, client) =>
      this.#run(client, seededRandom(options.seed + client)),
    );
  }

  get answered(): number {
    return this.#told.length;
  }

  /** Sent again because they were not answered. */
  get retries(): number {
    return this.#attempts - this.#told.length;
  }

  /** Resolves when all that was begun is answered; for that there has to be a quorum. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Every change of a key is one that somebody was told of, once, at its revision. */
  check(states: PastStates): string | undefined {
    const [violation] = this.violations;
    if (violation !== undefined) return violation;
    for (const key of new Set(this.#told.map((write) => write.key))) {
      const told = this.#told.filter((write) => write.key === key && write.revision !== undefined);
      const expected = told.sort((a, b) => (a.revision ?? 0) - (b.revision ?? 0)).map(describe);
      const found = states.changes(key).map(describe);
      const at = expected.findIndex((change, i) => change !== found[i]);
      if (at !== -1) return `${key}: told ${expected[at]} where the log has ${found[at]}`;
      if (found.length > expected.length) return `${key}: ${found[expected.length]}, which nobody was told`;
    }
    return undefined;
  }

  async #run(client: number, random: Random): Promise<void> {
    let isThere = false;
    for (let count = 0; !this.#stopping; count++) {
      if (random.below(3) === 0) {
        await this.#increment(`${client}-${count}`, random);
      } else {
        const key = `retry/${client}`;
        const isDelete: boolean = isThere && random.below(3) === 0;
        await (isDelete
          ? this.#delete(key, `${client}-${count}`, random)
          : this.#put(key, `${client}-${count}`, random));
        isThere = !isDelete;
      }
      if (!this.#stopping) await new Promise((resolve) => setTimeout(resolve, this.#restMs));
    }
  }

  async #put(key: string, stamp: string, random: Random): Promise<void> {
    const value = random.below(8) === 0 ? `${stamp} ${'x'.repeat(longValueCharacters)}` : stamp;
    const answer = await this.#write(`/v1/kv/${key}?timeout=1s`, { method: 'PUT', body: value, token: stamp }, random);
    this.#note(key, `${digested(value)}`, answer);
  }

  /** Nobody else touches the key, so there is something to delete, whenever the answer comes. */
  async #delete(key: string, token: string, random: Random): Promise<void> {
    const answer = await this.#write(`/v1/kv/${key}?timeout=1s`, { method: 'DELETE', token }, random);
    this.#note(key, null, answer);
  }

  #note(key: string, value: string | null, answer: Answer): void {
    const { revision } = JSON.parse(answer.text) as { revision?: number };
    if (revision === undefined) this.violations.push(`${key} was to become ${value}, and ${answer.text} was told`);
    this.#told.push({ key, value, revision });
  }

  /** The condition alone would not show whether a repeated transaction was the first one to be told. */
  async #increment(token: string, random: Random): Promise<void> {
    const key = 'retry/counter';
    const node = this.#nodes[random.below(this.#nodes.length)];
    const read = await send(`${node?.url}/v1/kv/${key}?timeout=1s`, { method: 'GET' }, [200, 404]);
    if (typeof read === 'string') return;
    const isThere = isOk(read);
    const value = `${Number(isThere ? read.text : 0) + 1}`;
    const compare = isThere ? { key, value: { '=': read.text } } : { key, exists: false };
    const body = txnBody([compare], [{ put: { key, value } }]);
    const answer = await this.#write('/v1/txn?timeout=1s', { method: 'POST', body, token }, random);
    const { succeeded, revision } = JSON.parse(answer.text) as { succeeded: boolean; revision: number };
    this.#told.push({ key, value, revision: succeeded ? revision : undefined });
  }

  async #write(path: string, request: RequestInit & { readonly token: string }, random: Random): Promise<Answer> {
    const nodes = inTurn(this.#nodes, random.below(this.#nodes.length));
    const { answer, attempts } = await sendUntilAnswered(nodes, path, request, statuses);
    this.#attempts += attempts;
    if (random.below(4) === 0) await this.#again(nodes.at(-1) ?? nodes[0], path, request, answer);
    return answer;
  }

  /** The answer of the first time, whoever is asked. */
  async #again(
    node: Endpoint | undefined,
    path: string,
    { token, ...init }: RequestInit & { readonly token: string },
    first: Answer,
  ): Promise<void> {
    const answer = await send(`${node?.url}${path}`, { ...init, headers: { 'idempotency-key': token } }, statuses);
    if (typeof answer === 'string' || (answer.status === first.status && answer.text === first.text)) return;
    this.violations.push(`${token} was told ${first.status} ${first.text}, and then ${answer.status} ${answer.text}`);
  }
}

const statuses = [200, 201, 404, 409, 412, 422];

function describe({
  revision,
  value,
}: {
  readonly revision?: number | undefined;
  readonly value: string | null;
}): string {
  return value === null ? `deleted at ${revision}` : `${value} at ${revision}`;
}
