import type { BalsaError } from '../../contract/errors.ts';
import type { AnswerHeader } from '../../contract/kv.ts';
import type { CompleteAnswer } from './direct-answer.ts';
import type { KeyRequests } from './key-requests.ts';
import { problemAnswer } from './problem.ts';
import { requestError } from './request-error.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { keyPath } from './request-target.ts';
import type { WholeRequest } from './whole-request.ts';

export interface AnswerKeysOptions {
  readonly header: () => AnswerHeader;
  readonly reportFailure: (error: BalsaError, request: { readonly method: string; readonly url: string }) => void;
  readonly metrics: RequestMetrics | undefined;
}

/** Around the requests for keys on their own connections: what Fastify's error handler and `measureRequests` are on others. */
export function answerKeys(
  keys: KeyRequests,
  { header, reportFailure, metrics }: AnswerKeysOptions,
): (request: WholeRequest) => Promise<CompleteAnswer> {
  const untold = (): void => {};
  const routes = {
    GET: { handle: (request: WholeRequest) => keys.get(request), tell: metrics?.route('GET', keyPath) ?? untold },
    PUT: { handle: (request: WholeRequest) => keys.put(request), tell: metrics?.route('PUT', keyPath) ?? untold },
    DELETE: {
      handle: (request: WholeRequest) => keys.delete(request),
      tell: metrics?.route('DELETE', keyPath) ?? untold,
    },
  };
  return async (request) => {
    const startedMs = performance.now();
    const { handle, tell } = routes[request.method];
    let answer: CompleteAnswer;
    try {
      answer = await handle(request);
    } catch (reason) {
      const error = requestError(reason);
      reportFailure(error, { method: request.method, url: request.target });
      answer = problemAnswer(error, header());
    }
    tell(answer.status, performance.now() - startedMs);
    return answer;
  };
}
