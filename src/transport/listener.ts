import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { describeError } from './describe-error.ts';
import { membersPath, peerPath, upgradeToken } from './handshake.ts';

/** For the head of a request; the whole way to the hello has a deadline of its own. */
const headersTimeoutMs = 5000;

/** What anybody may ask before a handshake. */
export interface ListenerDescriptions {
  /** For `GET /version`. */
  describe(): Readonly<Record<string, unknown>>;
  /** For `GET /members`; undefined while this member knows none. */
  describeCluster(): Readonly<Record<string, unknown>> | undefined;
}

export interface ListenerEvents extends ListenerDescriptions {
  /** Somebody connected; nothing is known yet. */
  onSocket(socket: Duplex): void;
  /** A peer stream was asked for and granted; `head` came with the request. */
  onStream(socket: Duplex, head: Buffer, remoteAddress: string): void;
}

export interface Listener {
  /** What it listens on, with the port that was bound. */
  readonly url: string;
  close(): Promise<void>;
}

/** Listens on one URL. Rejects with a sentence that names the URL and the flag behind it. */
export async function listen(url: string, events: ListenerEvents): Promise<Listener> {
  if (!URL.canParse(url)) throw new Error(`cannot listen on ${url} (--listen-peer-urls): http://host:port is needed`);
  const { hostname, port, protocol } = new URL(url);
  if (protocol !== 'http:') throw new Error(`cannot listen on ${url} (--listen-peer-urls): only http is supported`);
  const server = createServer({
    maxHeaderSize: 8192,
    headersTimeout: headersTimeoutMs,
    requestTimeout: headersTimeoutMs,
    connectionsCheckingInterval: 1000,
    noDelay: true,
  });
  server.on('connection', (socket) => {
    socket.on('error', () => socket.destroy());
    events.onSocket(socket);
  });
  server.on('clientError', (_error, socket) => endWith(socket, answer(400, 'That is not an HTTP request.')));
  server.on('request', (request, response) => respond(response, answerTo(request, events)));
  server.on('upgrade', (request, socket, head) => {
    if (!asksForPeerStream(request)) return endWith(socket, answerTo(request, events));
    const remoteAddress = `${request.socket.remoteAddress}:${request.socket.remotePort}`;
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${upgradeToken}\r\n\r\n`);
    events.onStream(socket, head, remoteAddress);
  });
  await bind(server, url, { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 80 : Number(port) });
  // From here on an error is one of accepting, such as too many open files: the next connection may work again.
  server.on('error', () => {});
  const bound = new URL(url);
  bound.port = String((server.address() as AddressInfo).port);
  return { url: bound.origin, close: () => closed(server) };
}

function bind(server: Server, url: string, address: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(listenError(error, url));
    server.once('error', onError);
    server.listen(address, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

function listenError(error: NodeJS.ErrnoException, url: string): Error {
  const why =
    error.code === 'EADDRINUSE'
      ? 'another process listens there already; stop it, or choose another port'
      : error.code === 'EADDRNOTAVAIL'
        ? 'this machine has no such address'
        : describeError(error);
  return new Error(`cannot listen on ${url} (--listen-peer-urls): ${why}`, { cause: error });
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function asksForPeerStream(request: IncomingMessage): boolean {
  return request.method === 'GET' && request.url === peerPath && request.headers.upgrade === upgradeToken;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function answerTo(request: IncomingMessage, events: ListenerEvents): Answer {
  if (request.method === 'GET' && request.url === '/version') {
    return json(events.describe());
  }
  if (request.method === 'GET' && request.url === membersPath) {
    const description = events.describeCluster();
    return description === undefined
      ? answer(503, 'This peer does not know the members of its cluster yet. Ask another one.')
      : json(description);
  }
  if (request.url !== peerPath) return answer(404, 'This is the port for peers. Clients are served on another one.');
  return answer(426, `Peers ask for this resource with GET and "Upgrade: ${upgradeToken}".`);
}

function json(value: Readonly<Record<string, unknown>>): Answer {
  return { status: 200, type: 'application/json', body: JSON.stringify(value) };
}

function answer(status: number, detail: string): Answer {
  const body = JSON.stringify({ title: STATUS_CODES[status], status, detail });
  return { status, type: 'application/problem+json', body };
}

/** One answer a connection: peers speak another protocol, and whoever asks for the version asks once. */
function headersOf({ status, type, body }: Answer): Record<string, string | number> {
  return {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...(status === 426 ? { upgrade: upgradeToken } : {}),
  };
}

function respond(response: ServerResponse, reply: Answer): void {
  response.on('error', () => {});
  response.writeHead(reply.status, headersOf(reply));
  response.end(reply.body);
}

/** The same for a socket that Node.js has taken its HTTP parser from. */
function endWith(socket: Duplex, reply: Answer): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const lines = Object.entries(headersOf(reply)).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status]}\r\n${lines.join('')}\r\n${reply.body}`, () =>
    socket.destroy(),
  );
}
