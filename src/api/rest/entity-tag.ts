import { BalsaError } from '../../contract/errors.ts';
import type { Condition, Revision } from '../../contract/kv.ts';

/** A condition travels in the log with its write, so it has a bound. */
const tagsMax = 64;

type ConditionHeader = 'If-Match' | 'If-None-Match';

/** The entity tag of a key-value: its mod revision. No two states of any key share one, so it is a strong tag. */
export function entityTag(modRevision: Revision): string {
  return `"${modRevision}"`;
}

/** What must hold for a write; decided in the log. */
export function writeCondition(ifMatch: string | undefined, ifNoneMatch: string | undefined): Condition | undefined {
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw new BalsaError('bad_request', 'If-Match and If-None-Match exclude each other; send one of them.');
  }
  if (ifMatch !== undefined) return matching(ifMatch);
  if (ifNoneMatch?.trim() === '*') return { kind: 'absent' };
  throw refused('If-None-Match', 'must be * on a write: the key must not exist. Use If-Match for a revision');
}

/** Whether a read may be answered with 304: the client has that state. */
export function isNotModified(ifNoneMatch: string, modRevision: Revision): boolean {
  if (ifNoneMatch.trim() === '*') return true;
  // The weak comparison that RFC 9110, 13.1.2 asks for: proxies that compress weaken the tags that they pass on.
  return parseTags(ifNoneMatch.replaceAll('W/"', '"'), 'If-None-Match').includes(modRevision);
}

/** Whether a read has to fail with 412: the state is not one that the client asks for. */
export function isMismatch(ifMatch: string, modRevision: Revision | undefined): boolean {
  const condition = matching(ifMatch);
  if (modRevision === undefined) return true;
  return condition.kind === 'modRevisionIn' && !condition.revisions.includes(modRevision);
}

function matching(ifMatch: string): Condition {
  if (ifMatch.trim() === '*') return { kind: 'exists' };
  return { kind: 'modRevisionIn', revisions: parseTags(ifMatch, 'If-Match') };
}

function parseTags(text: string, header: ConditionHeader): Revision[] {
  // RFC 9110, 5.6.1: empty elements of a list count for nothing.
  const tags = text
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
  if (tags.length === 0) throw refused(header, 'is empty; send an entity tag such as "5", or *');
  if (tags.length > tagsMax) throw refused(header, `has ${tags.length} entity tags; the most is ${tagsMax}`);
  return tags.map((tag) => parseTag(tag, header));
}

function parseTag(tag: string, header: ConditionHeader): Revision {
  if (/^"[0-9]{1,15}"$/.test(tag)) return Number(tag.slice(1, -1));
  const shown = tag.length > 40 ? `${tag.slice(0, 40)}…` : tag;
  if (tag.startsWith('W/')) {
    throw refused(header, `has the weak entity tag ${shown}; a condition needs a strong one, such as "5"`);
  }
  if (/^[0-9]+$/.test(tag)) throw refused(header, `has ${shown} without quotation marks; write "${shown}"`);
  throw refused(
    header,
    `has ${shown}, which no key can have: a tag is the mod revision in quotation marks, such as "5"`,
  );
}

function refused(header: ConditionHeader, problem: string): BalsaError {
  return new BalsaError('bad_request', `${header} ${problem}.`, { extras: { parameter: header } });
}
