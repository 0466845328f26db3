import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Method, Service } from '../method.ts';
import { EtcdError } from '../status.ts';
import { isGone, refuse } from './answers.ts';
import { CallCounts } from './call-counts.ts';
import { isGrpc } from './metadata.ts';
import { ResetGuard } from './reset-guard.ts';
import { GrpcStreamCall } from './stream-call.ts';
import { Turns } from './turns.ts';
import { UnaryCall } from './unary-call.ts';

export interface GrpcOptions {
  /** For a call that names no time of its own, and the most for one that does. */
  readonly timeoutMs: number;
  readonly messageBytesMax: number;
  /** Calls under way on one connection; clients wait before they begin more. */
  readonly streamsMax?: number;
  /** Bytes that Node's HTTP/2 may hold for one connection, in MiB. */
  readonly sessionMegabytesMax?: number;
  /** A connection that is silent for so long is asked whether it is still there, */
  readonly keepAliveMs?: number;
  /** …and is ended if it does not answer within that time. */
  readonly keepAliveTimeoutMs?: number;
  /** A call failed for a reason of ours: the `cause` has it. */
  readonly onFailure: (error: EtcdError, path: string) => void;
}

/** gRPC over HTTP/2 on connections that somebody else has accepted. */
export class GrpcServer {
  readonly counts = new CallCounts();
  readonly #server: Http2Server;
  readonly #routes = new Map<string, { readonly service: string; readonly method: Method }>();
  readonly #services: ReadonlySet<string>;
  readonly #options: GrpcOptions;
  readonly #sessions = new Map<ServerHttp2Session, ResetGuard>();
  readonly #turns = new Turns(tasksPerTurn);
  #isClosing = false;

  constructor(services: readonly Service[], options: GrpcOptions) {
    this.#options = options;
    this.#services = new Set(services.map(({ name }) => name));
    for (const { name, methods } of services) {
      for (const method of methods) this.#routes.set(`/${name}/${method.name}`, { service: name, method });
    }
    const { streamsMax = 1024, sessionMegabytesMax = 32 } = options;
    this.#server = createServer({
      maxSessionMemory: sessionMegabytesMax,
      settings: { maxConcurrentStreams: streamsMax, initialWindowSize: windowBytes, enablePush: false },
    });
    this.#server.on('session', (session) => this.#onSession(session));
    this.#server.on('sessionError', () => {});
    this.#server.on('stream', (stream, headers) => this.#onStream(stream, headers));
    // A connection that is no HTTP/2 after all.
    this.#server.on('error', () => {});
  }

  /** Takes over a connection that begins with HTTP/2's preface. */
  accept(socket: Socket): void {
    if (this.#isClosing) {
      socket.destroy();
      return;
    }
    // An HTTP server's sockets stay open when the client has ended its side, and the session would for ever wait for more.
    socket.allowHalfOpen = false;
    this.#server.emit('connection', socket);
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Ends all connections: calls under way may end within `drainMs`. */
  async close(drainMs: number): Promise<void> {
    this.#isClosing = true;
    const closed = [...this.#sessions.keys()].map(
      (session) =>
        new Promise<void>((resolve) => {
          if (session.destroyed) return resolve();
          session.once('close', resolve);
          session.close();
        }),
    );
    const cutOff = setTimeout(() => {
      for (const session of this.#sessions.keys()) session.destroy();
    }, drainMs);
    await Promise.all(closed);
    clearTimeout(cutOff);
  }

  #onSession(session: ServerHttp2Session): void {
    this.#sessions.set(session, new ResetGuard(performance.now()));
    destroyWithoutStacks(session);
    // Else every put of some size waits for a window of 64 KiB, which all calls of a connection share.
    session.setLocalWindowSize(connectionWindowBytes);
    // Nghttp2 reads no more of a client that broke the protocol, so that its end is not seen otherwise either.
    const { keepAliveMs = 10_000, keepAliveTimeoutMs = 5000 } = this.#options;
    session.setTimeout(keepAliveMs, () => ask(session, keepAliveTimeoutMs));
    session.on('error', () => {});
    session.once('close', () => this.#sessions.delete(session));
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // Without a listener an error, as of a client that resets the stream, would end the process.
    stream.on('error', () => {});
    // The client reset it in the same breath.
    if (isGone(stream)) return;
    const { session } = stream;
    stream.once('aborted', () => this.#onAborted(session as ServerHttp2Session | undefined));
    this.#turns.run(() => this.#begin(stream, headers));
  }

  #begin(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    if (isGone(stream)) return;
    if (!isGrpc(headers)) {
      stream.resume();
      stream.respond({ ':status': 415, 'content-type': 'text/plain' });
      stream.end('HTTP/2 is for gRPC here (application/grpc); use HTTP/1.1 for everything else.\n');
      return;
    }
    const path = headers[':path'] ?? '';
    const route = this.#routes.get(path);
    if (route === undefined) {
      stream.resume();
      refuse(stream, this.#unknown(path));
      return;
    }
    const { service, method } = route;
    this.counts.onStarted(service, method);
    const { timeoutMs, messageBytesMax } = this.#options;
    const options = {
      timeoutMs,
      messageBytesMax,
      turns: this.#turns,
      onEnd: (error: EtcdError | undefined) => {
        this.counts.onHandled(service, method, error);
        if (error?.code === 'INTERNAL' && error.cause !== undefined) this.#options.onFailure(error, path);
      },
    };
    if (method.kind === 'unary') stream.once('aborted', UnaryCall.serve(stream, headers, method, options));
    else new GrpcStreamCall(stream, headers, method, options);
  }

  #onAborted(session: ServerHttp2Session | undefined): void {
    if (session === undefined || !this.#sessions.get(session)?.onReset(performance.now())) return;
    this.#sessions.delete(session);
    // Not at once: it is in the midst of reading what the client sent.
    setImmediate(() => session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM));
  }

  /** In grpc-go's words. */
  #unknown(path: string): EtcdError {
    const [, service = '', method = ''] = /^\/([^/]*)\/(.*)$/.exec(path) ?? [];
    if (service === '') return new EtcdError('UNIMPLEMENTED', `malformed method name: "${path}"`);
    if (!this.#services.has(service)) return new EtcdError('UNIMPLEMENTED', `unknown service ${service}`);
    return new EtcdError('UNIMPLEMENTED', `unknown method ${method} for service ${service}`);
  }
}

/**
 * Node.js ends all calls of a session in one piece of work, also for reasons of its own, and makes an error for each that nobody gets to
 * see. Of a thousand calls, to note where those errors were made takes three quarters of the time, in which no heartbeat leaves.
 */
function destroyWithoutStacks(session: ServerHttp2Session): void {
  const destroy = session.destroy.bind(session);
  session.destroy = (error?: Error, code?: number) => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      destroy(error, code);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };
}

/** Nobody has said anything for a while. A peer that vanished is noticed by its silence. */
function ask(session: ServerHttp2Session, timeoutMs: number): void {
  if (session.destroyed) return;
  const cutOff = setTimeout(() => session.destroy(), timeoutMs);
  // The client has said that it will begin no more calls: it cannot be asked from then on, and its end may not be seen.
  if (session.closed) return;
  const isSent = session.ping(() => clearTimeout(cutOff));
  if (!isSent) clearTimeout(cutOff);
}

/** Calls that are begun or answered in one turn of the event loop: some milliseconds. */
const tasksPerTurn = 50;
const windowBytes = 256 * 1024;
const connectionWindowBytes = 1024 * 1024;
