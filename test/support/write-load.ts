import type { NodeProcess } from './processes.ts';
import { isConnectionRefused } from './refused-connection.ts';

/** How a write ended, as the client could see it. */
export type WriteOutcome = 'acknowledged' | 'refused' | 'unknown';

export interface WriteRecord {
  readonly key: string;
  readonly value: string;
  outcome: WriteOutcome;
  /** Of an acknowledged write. */
  revision: number;
}

/**
 * Clients that write without pause, each key once, through all nodes in turn, and read back through another node what
 * was acknowledged before.
 */
export class WriteLoad implements AsyncDisposable {
  readonly records: WriteRecord[] = [];
  /** What must never be; empty in a run without a fault of Balsa's. */
  readonly violations: string[] = [];
  readonly #nodes: readonly NodeProcess[];
  readonly #prefix: string;
  readonly #running: Promise<void>[] = [];
  /** When each acknowledgement came, in order. */
  readonly #acknowledgedMs: number[] = [];
  #stopping = false;

  /** Keys begin with `prefix`; two loads on one cluster need different ones. */
  constructor(nodes: readonly NodeProcess[], clients: number, prefix = 'load') {
    this.#nodes = nodes;
    this.#prefix = prefix;
    for (let client = 0; client < clients; client++) this.#running.push(this.#run(client));
  }

  acknowledged(): number {
    return this.records.filter(({ outcome }) => outcome === 'acknowledged').length;
  }

  /**
   * The longest time in which no write was acknowledged, of those that reach into what came after `fromMs`
   * (of `performance.now()`): the wait that is going on counts too.
   */
  longestGapMs(fromMs: number): number {
    const before = this.#acknowledgedMs.findLast((ms) => ms <= fromMs) ?? fromMs;
    const times = [before, ...this.#acknowledgedMs.filter((ms) => ms > fromMs), performance.now()];
    return Math.max(...times.slice(1).map((ms, i) => ms - (times[i] as number)));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(client: number): Promise<void> {
    for (let count = 0; !this.#stopping; count++) {
      const record: WriteRecord = {
        key: `${this.#prefix}/${client}/${count}`,
        value: `${client}:${count}`,
        outcome: 'unknown',
        revision: 0,
      };
      this.records.push(record);
      await this.#write(this.#node(client + count), record);
      if (count % 8 === 7) await this.#readBack(this.#node(client + count + 1), record);
      // A node that is down refuses at once; without a pause the loop would only produce refusals.
      if (record.outcome !== 'acknowledged') await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async #write(node: NodeProcess, record: WriteRecord): Promise<void> {
    try {
      const answer = await fetch(`${node.url}/v1/kv/${record.key}?timeout=4s`, {
        method: 'PUT',
        body: record.value,
        signal: AbortSignal.timeout(15_000),
      });
      const body: unknown = await answer.json();
      if (answer.status === 201) {
        record.outcome = 'acknowledged';
        this.#acknowledgedMs.push(performance.now());
        record.revision = Number(field(body, 'revision'));
      } else {
        record.outcome = field(body, 'code') === 'outcome_unknown' ? 'unknown' : 'refused';
        if (answer.status < 429) this.violations.push(`${record.key}: unexpected status ${answer.status}`);
      }
    } catch (reason) {
      if (isConnectionRefused(reason)) record.outcome = 'refused';
    }
  }

  async #readBack(node: NodeProcess, record: WriteRecord): Promise<void> {
    if (record.outcome !== 'acknowledged') return;
    let answer: Response;
    let text: string;
    try {
      answer = await node.get(`/v1/kv/${record.key}?timeout=4s`, 15_000);
      text = await answer.text();
    } catch {
      return; // The node is down or was killed meanwhile: no answer, no lie.
    }
    const isRight = answer.status === 200 ? text === record.value : answer.status >= 429;
    if (!isRight) {
      this.violations.push(`${record.key} was acknowledged; then ${node.spec.name} read ${answer.status} ${text}`);
    }
  }

  #node(count: number): NodeProcess {
    const node = this.#nodes[count % this.#nodes.length];
    if (node === undefined) throw new Error('no nodes');
    return node;
  }
}

function field(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
}
