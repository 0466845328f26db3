import { isConnectionRefused } from './refused-connection.ts';

/** A node that is paused answers nothing; the client has other nodes to ask. */
const requestMsMax = 2000;

/** How a request ended: with an answer, certainly without effect, or without anybody knowing. */
export type Outcome = Answer | 'refused' | 'unknown';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Where a node takes requests. */
export interface Endpoint {
  readonly url: string;
}

/** Sends a request once. `answers`: the statuses that answer the question. */
export async function send(url: string, request: RequestInit, answers: readonly number[]): Promise<Outcome> {
  try {
    const answer = await fetch(url, { ...request, signal: AbortSignal.timeout(requestMsMax) });
    const text = await answer.text();
    if (answers.includes(answer.status)) return { status: answer.status, headers: answer.headers, text };
    return (JSON.parse(text) as { code?: unknown }).code === 'outcome_unknown' ? 'unknown' : 'refused';
  } catch (reason) {
    return isConnectionRefused(reason) ? 'refused' : 'unknown';
  }
}

export function isOk({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

/**
 * Sends a write under an idempotency key until it is answered, whatever happens meanwhile, each time to the next node: it
 * is done once, and the answer is that of the time when it was.
 */
export async function sendUntilAnswered(
  nodes: readonly Endpoint[],
  path: string,
  request: Omit<RequestInit, 'headers'> & { readonly token: string },
  answers: readonly number[],
): Promise<{ readonly answer: Answer; readonly attempts: number }> {
  const { token, ...init } = request;
  const headers = { 'idempotency-key': token };
  for (let attempt = 0; ; attempt++) {
    const node = nodes[attempt % nodes.length];
    if (node === undefined) throw new Error('no nodes');
    const answer = await send(node.url + path, { ...init, headers }, answers);
    if (typeof answer !== 'string') return { answer, attempts: attempt + 1 };
    // A node that is down refuses at once; without a pause the loop would only produce refusals.
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** All nodes, beginning with that one. */
export function inTurn<Node extends Endpoint>(nodes: readonly Node[], first: number): readonly Node[] {
  const start = first % nodes.length;
  return [...nodes.slice(start), ...nodes.slice(0, start)];
}

/** A body of `POST /v1/txn`. */
export function txnBody(compares: readonly object[], operations: readonly object[]): string {
  return `{"if":${JSON.stringify(compares)},"then":${JSON.stringify(operations)}}`;
}
