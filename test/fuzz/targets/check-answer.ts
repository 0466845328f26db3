import { errorCatalogue, isErrorCode } from '../../../src/contract/errors.ts';
import { Broken } from '../engine/target.ts';
import type { RawAnswer } from './http-answer.ts';
import { type ApiDocument, mediaTypeOf, objectionToBody, operationOf } from './openapi-document.ts';

const problemType = 'application/problem+json';

/** Throws unless the answer is one that the document promises for the request. */
export function checkAnswer(document: ApiDocument, method: string, target: string, answer: RawAnswer): void {
  const operation = operationOf(document, method, target);
  const documented = operation?.responses[answer.status];
  if (operation !== undefined && documented === undefined && answer.status !== 405) {
    throw broken(method, target, answer, 'the document has no such answer');
  }
  const types = Object.keys(documented?.content ?? {});
  if (answer.status >= 400 && !(types.length > 0 && !types.includes(problemType))) {
    checkProblem(answer, `${method} ${target}`, method === 'HEAD');
    return;
  }
  checkHeaders(answer, `${method} ${target}`);
  if (method === 'HEAD' || types.length === 0) return;
  const type = mediaTypeOf(answer);
  if (!types.includes(type)) throw broken(method, target, answer, `the type is ${type}, not ${types.join(' or ')}`);
  if (type !== 'application/json') return;
  const objection = objectionToBody(document, documented?.content?.[type]?.schema, jsonOf(answer));
  if (objection !== undefined) throw broken(method, target, answer, objection);
}

/** Throws unless it is an error of the catalogue as `application/problem+json`, and none of the server's own failing. */
export function checkProblem(answer: RawAnswer, request: string, isHead: boolean): void {
  if (answer.status === 500) throw new Broken(`500 to ${request}: ${answer.body.toString()}`);
  const type = mediaTypeOf(answer);
  if (type !== problemType) throw new Broken(`${answer.status} to ${request} as ${type || 'nothing'}`);
  checkHeaders(answer, request);
  if (isHead) return;
  const problem = jsonOf(answer);
  const { code, status, title, detail, retryable, definite } = problem;
  const kind = typeof code === 'string' && isErrorCode(code) ? errorCatalogue[code] : undefined;
  const isAsListed =
    kind !== undefined &&
    kind.httpStatus === answer.status &&
    status === answer.status &&
    title === kind.title &&
    retryable === kind.retryable &&
    definite === kind.definite &&
    typeof detail === 'string' &&
    detail.length > 0;
  if (!isAsListed)
    throw new Broken(`no error of the catalogue to ${request}: ${answer.status} ${answer.body.toString()}`);
}

function checkHeaders({ headers, status }: RawAnswer, request: string): void {
  for (const name of ['balsa-revision', 'balsa-raft-term', 'balsa-member']) {
    if (!headers.has(name)) throw new Broken(`${status} to ${request} without ${name}`);
  }
}

function jsonOf(answer: RawAnswer): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(answer.body.toString());
  if (typeof value !== 'object' || value === null) throw new Broken(`no object: ${answer.body.toString()}`);
  return { ...value };
}

function broken(method: string, target: string, answer: RawAnswer, why: string): Broken {
  const body = answer.body.toString().slice(0, 500);
  return new Broken(`${answer.status} to ${method} ${target.slice(0, 200)}: ${why}: ${body}`);
}
