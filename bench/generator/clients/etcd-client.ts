import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { connect as connectSocket, type Socket } from 'node:net';
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
import {
  putMessage,
  rangeMessage,
  readRangeResponse,
  readWatchResponse,
  txnOfPuts,
  watchMessage,
} from './etcd-messages.ts';
import { GrpcFrames, grpcFrame } from './grpc-frame.ts';

const answerTimeoutMs = 30_000;
const countTimeoutMs = 60_000;
/** deadline_exceeded, resource_exhausted, unavailable. */
const temporaryCodes = new Set(['4', '8', '14']);

/** gRPC over HTTP/2; calls take the connections in turn. */
export class EtcdClient implements Client {
  readonly #sessions: readonly ClientHttp2Session[];
  #calls = 0;

  constructor({ url, connections, localAddress }: ClientOptions) {
    this.#sessions = Array.from({ length: connections }, () => openSession(url, localAddress));
  }

  async put(pair: Pair, timeoutMs = answerTimeoutMs): Promise<void> {
    await this.#unary('KV/Put', putMessage(pair), timeoutMs);
  }

  async putAll(pairs: readonly Pair[]): Promise<void> {
    await this.#unary('KV/Txn', txnOfPuts(pairs));
  }

  async get(key: string, { stale }: ReadMode): Promise<string | undefined> {
    const answer = await this.#unary('KV/Range', rangeMessage({ text: key, isPrefix: false, serializable: stale }));
    return readRangeResponse(answer).values[0]?.toString('latin1');
  }

  async page(prefix: string, limit: number, { stale }: ReadMode): Promise<Page> {
    const question = { text: prefix, isPrefix: true, limit, serializable: stale };
    const answer = await this.#unary('KV/Range', rangeMessage(question));
    return { keyCount: () => readRangeResponse(answer).values.length };
  }

  async count(prefix: string): Promise<number> {
    const question = { text: prefix, isPrefix: true, countOnly: true };
    return readRangeResponse(await this.#unary('KV/Range', rangeMessage(question), countTimeoutMs)).count;
  }

  /** Each watch has its own stream, as clients of their own have; the streams share connections. */
  watch(range: WatchedRange, listener: WatchListener): Promise<Watch> {
    const stream = this.#open('Watch/Watch');
    return new Promise((resolve, reject) => {
      let isCreated = false;
      let isClosed = false;
      const fail = (reason: string): void => {
        if (!isCreated) reject(new Error(`a watch was refused: ${reason}`));
        else if (!isClosed) listener.onEnd(reason);
        isClosed = true;
      };
      const watch: Watch = {
        pause: () => stream.pause(),
        resume: () => stream.resume(),
        close: () => {
          isClosed = true;
          stream.close();
        },
      };
      const frames = new GrpcFrames((message) => {
        const answer = readWatchResponse(message);
        if (answer.isCanceled) fail('the server canceled it');
        for (const event of answer.events) listener.onEvent(event);
        if (!answer.isCreated) return;
        isCreated = true;
        resolve(watch);
      });
      stream.on('data', (chunk: Buffer) => frames.push(chunk));
      stream.once('end', () => fail('the server ended the stream'));
      stream.once('error', (reason) => fail(reason.message));
      stream.write(grpcFrame(watchMessage(range)));
    });
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #open(method: string): ClientHttp2Stream {
    const session = this.#sessions[this.#calls++ % this.#sessions.length];
    if (session === undefined) throw new Error('a client without connections');
    return session.request({
      ':method': 'POST',
      ':path': `/etcdserverpb.${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
  }

  #unary(method: string, message: Buffer, timeoutMs = answerTimeoutMs): Promise<Buffer> {
    const stream = this.#open(method);
    return new Promise((resolve, reject) => {
      let answer: Buffer | undefined;
      let status: GrpcStatus | undefined;
      const frames = new GrpcFrames((bytes) => {
        answer = bytes;
      });
      stream.setTimeout(timeoutMs, () => stream.destroy(new Error(`no answer to ${method} within ${timeoutMs} ms`)));
      stream.on('data', (chunk: Buffer) => frames.push(chunk));
      // An error without an answer comes in the headers alone.
      for (const event of ['response', 'trailers'] as const) {
        stream.once(event, (headers) => {
          status = statusIn(headers) ?? status;
        });
      }
      stream.once('error', reject);
      stream.once('close', () => {
        if (status?.code === '0' && answer !== undefined) return resolve(answer);
        const { code, text } = status ?? { code: 'none', text: 'the stream was closed' };
        const isTemporary = status === undefined || temporaryCodes.has(code);
        reject(new RefusedError(`${method} was answered with gRPC status ${code}: ${text}`, { isTemporary }));
      });
      stream.end(grpcFrame(message));
    });
  }
}

interface GrpcStatus {
  readonly code: string;
  readonly text: string;
}

function statusIn(headers: Readonly<Record<string, unknown>>): GrpcStatus | undefined {
  const code = headers['grpc-status'];
  return code === undefined ? undefined : { code: String(code), text: String(headers['grpc-message'] ?? '') };
}

function openSession(url: string, localAddress: string | undefined): ClientHttp2Session {
  const { hostname, port } = new URL(url);
  const socket = (): Socket =>
    connectSocket({ host: hostname, port: Number(port), ...(localAddress === undefined ? {} : { localAddress }) });
  const session = connect(url, { createConnection: socket });
  // Every call under way learns of it by itself.
  session.on('error', () => undefined);
  session.setMaxListeners(0);
  return session;
}
