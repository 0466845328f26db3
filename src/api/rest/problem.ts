import type { FastifyReply } from 'fastify';
import type { BalsaError } from '../../contract/errors.ts';
import type { AnswerHeader } from '../../contract/kv.ts';
import { answerHeaders } from './answer-headers.ts';
import type { CompleteAnswer } from './direct-answer.ts';
import { entityTag } from './entity-tag.ts';

export const problemType = 'application/problem+json; charset=utf-8';

/** Elections and restarts take about a second; sooner, a retry would only add to the load. */
const retryAfterSeconds = '1';

/** An error as `application/problem+json` (RFC 9457). */
export function sendProblem(reply: FastifyReply, error: BalsaError, header: AnswerHeader): FastifyReply {
  return reply.code(error.kind.httpStatus).headers(problemHeaders(error, header)).send(problemText(error));
}

export function problemAnswer(error: BalsaError, header: AnswerHeader): CompleteAnswer {
  return { status: error.kind.httpStatus, headers: problemHeaders(error, header), body: problemText(error) };
}

export function problemHeaders(error: BalsaError, header: AnswerHeader): Record<string, string> {
  const headers = answerHeaders(header, problemType);
  headers['cache-control'] = 'no-store';
  const { code, kind, extras } = error;
  if (kind.retryable && (kind.httpStatus === 429 || kind.httpStatus === 503))
    headers['retry-after'] = retryAfterSeconds;
  if (code === 'precondition_failed' && typeof extras['modRevision'] === 'number') {
    headers['etag'] = entityTag(extras['modRevision']);
  }
  return headers;
}

export function problemText(error: BalsaError): string {
  const { title, httpStatus, retryable, definite } = error.kind;
  const { code, detail, extras } = error;
  return `${JSON.stringify({ code, title, status: httpStatus, detail, ...extras, retryable, definite })}\n`;
}
