import type { IncomingHttpHeaders } from 'node:http';
import type { KeyRequest } from './key-requests.ts';

type KeyMethod = 'GET' | 'PUT' | 'DELETE';

/** A request for one key that came whole, in one piece of its connection. */
export interface WholeRequest extends KeyRequest {
  readonly method: KeyMethod;
}

/** Of the request line and the headers. What is longer is rare. */
const headBytesMax = 4096;

const headEnd = '\r\n\r\n';
const plainLine = /^(GET|PUT|DELETE) (\/v1\/kv\/[\x21-\x7e]+) HTTP\/1\.1$/;
/**
 * RFC 9110, 5.5 and 5.6.2, without the bytes above ASCII, and without tabulators behind a value: behind that of
 * Content-Length, Node 20 takes one for an error. Blanks before a value match in one way only: else a header of 4,000 blanks
 * that ends badly would be tried 8 million times.
 */
const plainHeader =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(?![ \t])((?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?) *$/;

/** They say how the message or the connection goes on, which is for a whole implementation of HTTP to understand. */
const connectionHeaders: ReadonlySet<string> = new Set([
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

interface HeaderBlock {
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
  readonly bodyBytes: number;
}

/**
 * Knows requests for one key in the form in which nearly all of them come, on one connection: whole, by themselves, and with
 * nothing in them that could be understood in two ways. All others are for Node's HTTP server; to tell them apart must never
 * need more than the one piece of bytes.
 */
export class WholeRequestReader {
  readonly #valueBytesMax: number;
  /** A client's headers are mostly the same from request to request. */
  #block: HeaderBlock = { text: '', headers: {}, bodyBytes: 0 };

  constructor(valueBytesMax: number) {
    this.#valueBytesMax = valueBytesMax;
  }

  /** @returns Undefined for what is anything else than exactly one plain request. Its body shares the bytes of `chunk`. */
  read(chunk: Buffer): WholeRequest | undefined {
    const headBytes = chunk.indexOf(headEnd);
    if (headBytes === -1 || headBytes > headBytesMax) return undefined;
    const head = chunk.toString('latin1', 0, headBytes);
    const lineEnd = head.indexOf('\r\n');
    if (lineEnd === -1) return undefined;
    const [, method, target] = plainLine.exec(head.slice(0, lineEnd)) ?? [];
    if (method === undefined || target === undefined) return undefined;
    const block = this.#headers(head.slice(lineEnd + 2));
    if (block === undefined) return undefined;
    const body = chunk.subarray(headBytes + headEnd.length);
    if (body.length !== block.bodyBytes || body.length > this.#valueBytesMax) return undefined;
    if (method !== 'PUT' && body.length > 0) return undefined;
    return { method: method as KeyMethod, target, headers: block.headers, readBody: () => body };
  }

  #headers(text: string): HeaderBlock | undefined {
    if (text !== this.#block.text) {
      const block = parseHeaders(text);
      if (block === undefined) return undefined;
      this.#block = block;
    }
    return this.#block;
  }
}

function parseHeaders(text: string): HeaderBlock | undefined {
  const headers: Record<string, string> = Object.create(null);
  for (const line of text.split('\r\n')) {
    const [, originalName, value] = plainHeader.exec(line) ?? [];
    if (originalName === undefined || value === undefined) return undefined;
    const name = originalName.toLowerCase();
    if (name in headers || connectionHeaders.has(name)) return undefined;
    headers[name] = value;
  }
  const { host, connection, 'content-length': length } = headers;
  if (host === undefined || host === '') return undefined;
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return undefined;
  if (length !== undefined && !/^[0-9]{1,9}$/.test(length)) return undefined;
  return { text, headers, bodyBytes: Number(length ?? 0) };
}
