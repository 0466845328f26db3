import type { AnswerHeader } from '../../contract/kv.ts';

/**
 * Stands for an age that is not known, as on a member that has not heard of a leader since it started: the largest
 * integer of an HTTP structured field (RFC 9651, 3.3.1). A client that compares it with any bound finds it too old,
 * which it would not with -1 or without the header.
 */
const unknownStalenessMs = 999_999_999_999_999;

/** The headers that every answer has. The object is new each time; the caller adds to it. */
export function answerHeaders(header: AnswerHeader, contentType: string): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': contentType,
    'balsa-revision': `${header.revision}`,
    'balsa-raft-term': `${header.raftTerm}`,
    'balsa-member': header.memberId,
  };
  if (header.stalenessMs !== undefined) {
    headers['balsa-staleness-ms'] = `${Math.min(Math.ceil(header.stalenessMs), unknownStalenessMs)}`;
  }
  return headers;
}

export const jsonType = 'application/json; charset=utf-8';
export const textType = 'text/plain; charset=utf-8';
