import { BalsaError, type ErrorCode, errorCatalogue } from '../../contract/errors.ts';
import { problemText } from './problem.ts';

/** Building blocks of the routes' schemas, which are there to be read: see `/openapi.json`. */

const integer = { type: 'integer' } as const;

export const leaseIdSchema = { type: 'string', pattern: '^[0-9a-f]{16}$', description: 'Hexadecimal.' } as const;

/** Named in the document as `#/components/schemas/<$id>`. */
export const sharedSchemas = [
  {
    $id: 'KeyValue',
    type: 'object',
    description: 'Key and value are text where they are valid UTF-8, else base64 (RFC 4648, with padding).',
    properties: {
      key: { type: 'string' },
      keyBase64: { type: 'string', description: 'In place of `key`.' },
      value: { type: 'string' },
      valueBase64: { type: 'string', description: 'In place of `value`.' },
      createRevision: { ...integer, description: 'The revision that created the key.' },
      modRevision: {
        ...integer,
        description: 'The revision of the last change; the ETag without its quotation marks.',
      },
      version: { ...integer, description: '1 when created, plus one with every put.' },
      lease: { ...leaseIdSchema, description: 'The lease that the key is bound to; absent if there is none.' },
    },
    required: ['createRevision', 'modRevision', 'version'],
    additionalProperties: false,
    examples: [{ key: 'app/greeting', value: 'hello', createRevision: 2, modRevision: 5, version: 3 }],
  },
  {
    $id: 'Problem',
    type: 'object',
    description:
      'RFC 9457. Programs read `code`; docs/errors.md has them all. Further members are named there, such as ' +
      '`parameter` and `modRevision`.',
    properties: {
      code: { type: 'string', enum: Object.keys(errorCatalogue) },
      title: { type: 'string' },
      status: integer,
      detail: { type: 'string', description: 'What happened and what to do about it.' },
      retryable: { type: 'boolean', description: 'The same request can succeed later.' },
      definite: {
        type: 'boolean',
        description: 'The request certainly did not change anything. If false, it perhaps did.',
      },
    },
    required: ['code', 'title', 'status', 'detail', 'retryable', 'definite'],
  },
] as const;

export const keyValueRef = { $ref: 'KeyValue#' };

const answerHeaderSchemas = {
  'Balsa-Revision': { ...integer, description: "The store's revision that the answer is from." },
  'Balsa-Raft-Term': { ...integer, description: 'The term of the Raft group; grows with every election.' },
  'Balsa-Member': { type: 'string', pattern: '^[0-9a-f]+$', description: 'The member that answered.' },
} as const;

export const stalenessHeader = {
  'Balsa-Staleness-Ms': {
    type: 'integer',
    minimum: 0,
    description:
      'With a read that may be stale: an upper bound of the age of what was read. 999999999999999 where none is known.',
  },
} as const;

export const etagHeader = {
  ETag: { type: 'string', pattern: '^"[0-9]+"$', description: 'The mod revision in quotation marks.' },
} as const;

export interface AnswerSchema {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: object; readonly example?: unknown }>>;
  readonly headers?: Readonly<Record<string, object>>;
}

export function answer(schema: AnswerSchema): object {
  const headers = { ...answerHeaderSchemas, ...schema.headers };
  // `type: 'null'` says that there is no content, as the generator understands it.
  return schema.content === undefined ? { type: 'null', ...schema, headers } : { ...schema, headers };
}

/** What any request can end with. */
const commonCodes: readonly ErrorCode[] = ['bad_request', 'request_timeout', 'headers_too_large', 'internal'];

/** What a request can end with that needs the leader. */
export const clusterCodes: readonly ErrorCode[] = ['no_leader', 'unavailable', 'too_many_requests', 'timeout'];

/** What a write can end with: it needs the leader, too. */
export const writeCodes: readonly ErrorCode[] = [...clusterCodes, 'outcome_unknown'];

/** What a read of the past can end with. */
export const historyCodes: readonly ErrorCode[] = ['compacted', 'future_revision'];

/** The error answers of a route, by status; several codes can share one. */
export function problems(...codes: readonly ErrorCode[]): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...commonCodes, ...codes]) {
    const { httpStatus } = errorCatalogue[code];
    byStatus.set(httpStatus, [...(byStatus.get(httpStatus) ?? []), code]);
  }
  return Object.fromEntries([...byStatus].map(([status, group]) => [status, problem(status, group)]));
}

function problem(status: number, codes: readonly ErrorCode[]): object {
  const isRetryLater = status === 429 || status === 503;
  return answer({
    description: codes.map((code) => `\`${code}\`: ${errorCatalogue[code].title}`).join('. '),
    headers: {
      ...(isRetryLater && { 'Retry-After': { type: 'integer', description: 'Seconds.' } }),
      ...(status === 412 && etagHeader),
      ...(status === 405 && { Allow: { type: 'string', description: 'The methods there are.' } }),
    },
    content: {
      'application/problem+json': { schema: { $ref: 'Problem#' }, example: exampleOf(codes[0] ?? 'internal') },
    },
  });
}

function exampleOf(code: ErrorCode): unknown {
  return JSON.parse(problemText(new BalsaError(code, `${errorCatalogue[code].title}.`)));
}
