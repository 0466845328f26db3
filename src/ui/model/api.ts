import type { Problem } from './answers.ts';

/** A request that was refused, or had no answer (`code` is then `unreachable`). */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly problem: Problem | undefined;

  constructor(code: string, status: number, detail: string, problem?: Problem) {
    super(detail);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.problem = problem;
  }
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Already percent-encoded where it has to be; `undefined` is left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: object;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

const timeoutMsUsual = 8000;

/** The REST API of the member that served this page: the page may be mounted below any path. */
const root = new URL('../', document.baseURI);

export async function getJson<Answer>(path: string, options: RequestOptions = {}): Promise<Answer> {
  return (await request(path, { ...options, accept: 'application/json' })).json() as Promise<Answer>;
}

export async function getText(path: string, options: RequestOptions = {}): Promise<string> {
  return (await request(path, options)).text();
}

/** Resolves when the headers are there, and the request was not refused. */
export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = 'GET', query = {}, body, accept = '*/*', signal, timeoutMs = timeoutMsUsual } = options;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  try {
    const response = await fetch(new URL(path.slice(1) + queryText(query), root), {
      method,
      headers: { accept },
      cache: 'no-store',
      signal: signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    throw await refusal(response);
  } catch (reason) {
    if (reason instanceof ApiError || signal?.aborted) throw reason;
    const why = timeout.signal.aborted ? `did not answer within ${timeoutMs / 1000} s` : 'cannot be reached';
    throw new ApiError('unreachable', 0, `This member ${why}.`);
  } finally {
    clearTimeout(timer);
  }
}

/** The objects of an answer with one a line, as they come, and the revision that its headers name. */
export interface JsonLines<Line> {
  readonly revision: number;
  readonly lines: AsyncGenerator<Line, void>;
}

export async function openLines<Line>(path: string, options: RequestOptions = {}): Promise<JsonLines<Line>> {
  const response = await request(path, { ...options, accept: 'application/x-ndjson' });
  const revision = Number(response.headers.get('balsa-revision'));
  return { revision, lines: readLines(response.body as ReadableStream<Uint8Array<ArrayBuffer>>, options.signal) };
}

/** As `openLines`, for those who need the lines only. */
export async function* jsonLines<Line>(path: string, options: RequestOptions = {}): AsyncGenerator<Line, void> {
  yield* (await openLines<Line>(path, options)).lines;
}

async function* readLines<Line>(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Line, void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield JSON.parse(line) as Line;
    }
    if (rest !== '') yield JSON.parse(rest) as Line;
  } catch (reason) {
    if (signal?.aborted) throw reason;
    throw new ApiError('unreachable', 0, 'The connection to this member broke.');
  } finally {
    // Whoever has seen enough ends the answer, too.
    await reader.cancel().catch(() => undefined);
  }
}

function queryText(query: NonNullable<RequestOptions['query']>): string {
  const parts = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

async function refusal(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const problem = JSON.parse(text) as Problem;
    return new ApiError(problem.code, response.status, problem.detail, problem);
  } catch {
    return new ApiError(`http_${response.status}`, response.status, text || response.statusText);
  }
}

/** What to show a person. */
export function errorText(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

export function isAbort(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'AbortError';
}
