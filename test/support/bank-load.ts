import { type Random, seededRandom } from '../../src/base/random.ts';
import type { Action, Fields, Operation } from '../checking/history.ts';
import { type Answer, type Endpoint, inTurn, send, sendUntilAnswered, txnBody } from './send.ts';
import type { KeyValueJson } from './watch-messages.ts';

const accounts = 5;
const balanceAtFirst = 100;

/** What a client read of an account, and needs to change it. */
interface Account {
  readonly key: string;
  readonly value: string;
  readonly modRevision: number;
}

/**
 * Clients that move amounts between the accounts of a bank, each by one transaction on condition that nobody has touched
 * the two since they were read, and that look at all accounts at once. Whatever happens, the sum is the same in every
 * state.
 */
export class BankLoad implements AsyncDisposable {
  /** What ended so far; complete when `stop` has resolved. */
  readonly history: Operation[] = [];
  readonly #nodes: readonly Endpoint[];
  readonly #generationMs: number;
  readonly #startedMs = performance.now();
  readonly #opened = new Map<number, Promise<void>>();
  readonly #running: Promise<void>[];
  #stopping = false;

  /** `generationMs`: after that time there is another bank, so that no history gets too long to be searched. */
  constructor(nodes: readonly Endpoint[], options: { clients: number; seed: number; generationMs: number }) {
    this.#nodes = nodes;
    this.#generationMs = options.generationMs;
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
    for (let count = 0; !this.#stopping; count++) {
      const generation = Math.floor((performance.now() - this.#startedMs) / this.#generationMs);
      const bank = `bank/${generation}`;
      await this.#open(generation, bank);
      const before = this.history.length;
      const fields = await this.#look(client, bank, random);
      if (fields !== undefined) await this.#transfer(client, bank, fields, `${client}-${count}`, random);
      if (this.history.length === before) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** By the first client that needs it. */
  #open(generation: number, bank: string): Promise<void> {
    const opened = this.#opened.get(generation) ?? this.#create(generation, bank);
    this.#opened.set(generation, opened);
    return opened;
  }

  async #create(generation: number, bank: string): Promise<void> {
    const keys = Array.from({ length: accounts }, (_, i) => `${bank}/${i}`);
    const written = Object.fromEntries(keys.map((key, i) => [key, `${balanceAtFirst} opened-${i}`]));
    const expected = Object.fromEntries(keys.map((key) => [key, null]));
    const body = txnBody(
      keys.map((key) => ({ key, exists: false })),
      putsOf(written),
    );
    const startMs = performance.now();
    const token = `open-${bank}`;
    const { answer } = await sendUntilAnswered(this.#in(generation), txnPath, { method: 'POST', body, token }, [200]);
    this.#noteTxn({ client: 0, key: bank, startMs, endMs: performance.now() }, { expected, written }, answer);
  }

  /** All accounts at once, in one of several ways; undefined if that was not answered. */
  async #look(client: number, bank: string, random: Random): Promise<readonly Account[] | undefined> {
    const { url } = this.#any(random);
    const startMs = performance.now();
    const way = random.below(4);
    const isTxn = way === 0;
    const body = txnBody([], [{ get: { prefix: `${bank}/` } }]);
    const range = `/v1/kv?prefix=${bank}/&timeout=1s${way === 1 ? '&consistency=stale' : ''}`;
    const answer = isTxn
      ? await send(url + txnPath, { method: 'POST', body }, [200])
      : await send(url + range, { method: 'GET' }, [200]);
    if (typeof answer === 'string') return undefined;
    const told = JSON.parse(answer.text) as RangeJson & { results: readonly { get: RangeJson }[] };
    const { kvs } = isTxn ? (told.results[0]?.get ?? told) : told;
    const found = kvs.map(({ key, value = '', modRevision }) => ({ key, value, modRevision }));
    this.#note({
      client,
      key: bank,
      action: { kind: 'snapshot', values: Object.fromEntries(found.map(({ key, value }) => [key, value])) },
      startMs: Math.max(0, startMs - Number(answer.headers.get('balsa-staleness-ms') ?? 0)),
      endMs: performance.now(),
      revision: told.revision,
    });
    return found;
  }

  async #transfer(
    client: number,
    bank: string,
    found: readonly Account[],
    stamp: string,
    random: Random,
  ): Promise<void> {
    const from = found[random.below(found.length)];
    const to = found[random.below(found.length)];
    if (from === undefined || to === undefined || from === to) return;
    const amount = 1 + random.below(20);
    const expected: Fields = { [from.key]: from.value, [to.key]: to.value };
    const written: Fields = {
      [from.key]: `${balanceOf(from.value) - amount} ${stamp}`,
      [to.key]: `${balanceOf(to.value) + amount} ${stamp}`,
    };
    const compares = [from, to].map(({ key, modRevision }) => ({ key, modRevision: { '=': modRevision } }));
    const body = txnBody(compares, putsOf(written));
    const startMs = performance.now();
    const answer = await send(this.#any(random).url + txnPath, { method: 'POST', body }, [200]);
    if (answer === 'refused') return;
    const endMs = answer === 'unknown' ? Number.POSITIVE_INFINITY : performance.now();
    this.#noteTxn({ client, key: bank, startMs, endMs }, { expected, written }, answer);
  }

  #noteTxn(
    operation: Omit<Operation, 'action'>,
    { expected, written }: { readonly expected: Fields; readonly written: Fields },
    answer: Answer | 'unknown',
  ): void {
    const action = (done: boolean): Action => ({ kind: 'txn', expected, written, done });
    if (answer === 'unknown') {
      this.#note({ ...operation, action: action(true) });
      return;
    }
    const { succeeded, revision } = JSON.parse(answer.text) as { succeeded: boolean; revision: number };
    this.#note({ ...operation, action: action(succeeded), revision });
  }

  #note(operation: Operation): void {
    this.history.push(operation);
  }

  #any(random: Random): Endpoint {
    const node = this.#nodes[random.below(this.#nodes.length)];
    if (node === undefined) throw new Error('no nodes');
    return node;
  }

  #in(first: number): readonly Endpoint[] {
    return inTurn(this.#nodes, first);
  }
}

/** The first look at a bank whose sum is wrong. */
export function checkSums(history: readonly Operation[]): string | undefined {
  for (const { action, key, revision } of history) {
    if (action.kind !== 'snapshot') continue;
    const values = Object.values(action.values);
    const sum = values.reduce((total, value) => total + balanceOf(value ?? ''), 0);
    // A state from before it was opened.
    const isRight = values.length === 0 ? sum === 0 : sum === accounts * balanceAtFirst;
    if (!isRight) return `${key} held ${sum} at revision ${revision}: ${JSON.stringify(action.values)}`;
  }
  return undefined;
}

interface RangeJson {
  readonly revision: number;
  readonly kvs: readonly KeyValueJson[];
}

const txnPath = '/v1/txn?timeout=1s';

function putsOf(written: Fields): readonly object[] {
  return Object.entries(written).map(([key, value]) => ({ put: { key, value } }));
}

/** A value is a balance and the stamp of who wrote it, which makes it unique. */
function balanceOf(value: string): number {
  return Number(value.split(' ')[0]);
}
