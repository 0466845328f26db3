import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { z } from 'zod';
import {
  type Client,
  type ClientOptions,
  type Page,
  type Pair,
  type ReadMode,
  RefusedError,
  type Watch,
  type WatchedRange,
  type WatchListener,
} from './client.ts';
import { EventStreamParser } from './event-stream.ts';

const answerTimeoutMs = 30_000;
/** Counting looks at every key; no longer than a server allows. */
const countTimeoutMs = 60_000;

const temporaryStatuses = new Set([429, 503, 504]);

const pageSchema = z.object({ kvs: z.array(z.unknown()) });
const countSchema = z.object({ count: z.number() });

/** REST over HTTP/1.1 with connections that stay. */
export class BalsaClient implements Client {
  readonly #url: string;
  readonly #agent: Agent;
  readonly #localAddress: string | undefined;

  constructor({ url, connections, localAddress, takesTurns = false }: ClientOptions) {
    this.#url = url;
    this.#localAddress = localAddress;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: takesTurns ? 'fifo' : 'lifo' });
  }

  async put({ key, value }: Pair, timeoutMs = answerTimeoutMs): Promise<void> {
    await this.#call('PUT', `/v1/kv/${key}`, { body: value, timeoutMs });
  }

  async putAll(pairs: readonly Pair[]): Promise<void> {
    const puts = pairs.map(({ key, value }) => `{"put":{"key":"${key}","value":"${value}"}}`);
    const body = `{"then":[${puts.join(',')}]}`;
    await this.#call('POST', '/v1/txn', { body, contentType: 'application/json' });
  }

  async get(key: string, mode: ReadMode): Promise<string | undefined> {
    const answer = await this.#call('GET', `/v1/kv/${key}${mode.stale ? '?consistency=stale' : ''}`, { absent: 404 });
    return answer?.toString('latin1');
  }

  async page(prefix: string, limit: number, mode: ReadMode): Promise<Page> {
    const query = `prefix=${encodeURIComponent(prefix)}&limit=${limit}${mode.stale ? '&consistency=stale' : ''}`;
    const answer = await this.#call('GET', `/v1/kv?${query}`, {});
    return { keyCount: () => pageSchema.parse(JSON.parse(String(answer))).kvs.length };
  }

  async count(prefix: string): Promise<number> {
    const path = `/v1/kv?prefix=${encodeURIComponent(prefix)}&countOnly=true&timeout=${countTimeoutMs / 1000}s`;
    const answer = await this.#call('GET', path, { timeoutMs: countTimeoutMs });
    return countSchema.parse(JSON.parse(String(answer))).count;
  }

  /** Each watch has its own connection. */
  async watch({ text, isPrefix }: WatchedRange, listener: WatchListener): Promise<Watch> {
    const path = `/v1/watch?${isPrefix ? 'prefix' : 'key'}=${encodeURIComponent(text)}`;
    const answer = await this.#send(path, { agent: false, headers: { accept: 'text/event-stream' } });
    if (answer.statusCode !== 200) throw new Error(`a watch was refused: ${await describe(answer)}`);
    let isClosed = false;
    const parser = new EventStreamParser(listener.onEvent);
    const onEnd = (reason: string): void => {
      if (!isClosed) listener.onEnd(reason);
      isClosed = true;
    };
    answer.on('data', (chunk: Buffer) => parser.push(chunk));
    answer.once('end', () => onEnd(`the server ended the stream: ${parser.problem ?? 'it did not say why'}`));
    answer.once('error', (reason) => onEnd(reason.message));
    return {
      pause: () => answer.pause(),
      resume: () => answer.resume(),
      close: () => {
        isClosed = true;
        answer.destroy();
      },
    };
  }

  close(): void {
    this.#agent.destroy();
  }

  async #call(method: string, path: string, exchange: Exchange): Promise<Buffer | undefined> {
    const { body, contentType, absent, timeoutMs = answerTimeoutMs } = exchange;
    const headers =
      body === undefined
        ? {}
        : { 'content-length': body.length, 'content-type': contentType ?? 'application/octet-stream' };
    const answer = await this.#send(path, { method, headers, agent: this.#agent, timeout: timeoutMs }, body);
    const { statusCode = 0 } = answer;
    if (statusCode === absent) return void (await bodyOf(answer));
    if (statusCode >= 300) {
      const text = `${method} ${path} was answered with ${await describe(answer)}`;
      throw new RefusedError(text, { isTemporary: temporaryStatuses.has(statusCode) });
    }
    return bodyOf(answer);
  }

  #send(path: string, options: RequestOptions, body?: string): Promise<IncomingMessage> {
    const from = this.#localAddress === undefined ? {} : { localAddress: this.#localAddress };
    return new Promise((resolve, reject) => {
      const outgoing = request(this.#url + path, { ...options, ...from }, resolve);
      outgoing.once('error', reject);
      outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer to ${path} within ${options.timeout} ms`)));
      // All that is sent is ASCII, of which latin1 copies a byte a letter.
      outgoing.end(body, 'latin1');
    });
  }
}

interface Exchange {
  readonly body?: string;
  readonly contentType?: string;
  /** The status that says that there is no such key. */
  readonly absent?: number;
  readonly timeoutMs?: number;
}

function bodyOf(answer: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    answer.once('error', reject);
  });
}

async function describe(answer: IncomingMessage): Promise<string> {
  return `${answer.statusCode}: ${(await bodyOf(answer)).toString().slice(0, 500)}`;
}
