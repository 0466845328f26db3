/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/**
 * The answers in what a server sent, to requests with these methods in this order; `isWhole` is false while bytes are
 * missing. Throws if a server of HTTP/1.1 cannot have sent it. Written for tests: nothing of the server's is used.
 */
export function parseAnswers(
  received: Buffer,
  methods: readonly string[],
  isClosed: boolean,
): { readonly answers: readonly RawAnswer[]; readonly isWhole: boolean } {
  const answers: RawAnswer[] = [];
  for (let at = 0; at < received.length; ) {
    const parsed = parseAnswer(received.subarray(at), methods[answers.length] ?? 'GET', isClosed);
    if (parsed === undefined) return { answers, isWhole: false };
    at += parsed.length;
    if (parsed.answer.status >= 200) answers.push(parsed.answer);
  }
  return { answers, isWhole: true };
}

function parseAnswer(
  bytes: Buffer,
  method: string,
  isClosed: boolean,
): { readonly answer: RawAnswer; readonly length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) {
    const start = bytes.toString('latin1', 0, 9);
    if (!'HTTP/1.1 '.startsWith(start)) throw new Error(`no answer of HTTP/1.1: ${JSON.stringify(start)}`);
    return undefined;
  }
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 ([1-5]\d\d) /.exec(statusLine)?.[1]);
  if (Number.isNaN(status)) throw new Error(`no status line of HTTP/1.1: ${JSON.stringify(statusLine)}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`no header line: ${JSON.stringify(line)}`);
    headers.set(name.toLowerCase(), value);
  }
  const bodyAt = headEnd + 4;
  const body = parseBody(bytes.subarray(bodyAt), method, status, headers, isClosed);
  if (body === undefined) return undefined;
  return { answer: { status, headers, body: body.bytes }, length: bodyAt + body.length };
}

function parseBody(
  bytes: Buffer,
  method: string,
  status: number,
  headers: ReadonlyMap<string, string>,
  isClosed: boolean,
): { readonly bytes: Buffer; readonly length: number } | undefined {
  if (status < 200 || status === 204 || status === 304) return { bytes: Buffer.alloc(0), length: 0 };
  if (method === 'HEAD') {
    // Who could not read the request may not know that it was a HEAD; nothing follows on that connection then.
    if (headers.get('connection') !== 'close') return { bytes: Buffer.alloc(0), length: 0 };
    return isClosed ? { bytes, length: bytes.length } : undefined;
  }
  const declared = headers.get('content-length');
  if (declared !== undefined) {
    const length = Number(declared);
    return bytes.length < length ? undefined : { bytes: bytes.subarray(0, length), length };
  }
  if (headers.get('transfer-encoding') === 'chunked') return parseChunks(bytes);
  return isClosed ? { bytes, length: bytes.length } : undefined;
}

function parseChunks(bytes: Buffer): { readonly bytes: Buffer; readonly length: number } | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const length = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(length)) throw new Error('a chunk without a length');
    const end = lineEnd + 2 + length + 2;
    if (bytes.length < end) return undefined;
    chunks.push(bytes.subarray(lineEnd + 2, end - 2));
    at = end;
    if (length === 0) return { bytes: Buffer.concat(chunks), length: at };
  }
}
