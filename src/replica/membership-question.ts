import type { Promotion } from '../contract/members.ts';

/** A change of members or of leadership, as one member passes it on to the leader. */
export type MembershipQuestion =
  | {
      readonly kind: 'add';
      /** Drawn by whoever asks, so that its outcome can be looked up. */
      readonly id: string;
      readonly name: string;
      readonly peerUrls: readonly string[];
      readonly promote: Promotion;
    }
  | { readonly kind: 'promote'; readonly id: string }
  | { readonly kind: 'remove'; readonly id: string }
  | { readonly kind: 'update'; readonly id: string; readonly peerUrls: readonly string[] }
  /** `to`: an id or a name; empty for the most advanced voter. */
  | { readonly kind: 'moveLeader'; readonly to: string };

/** JSON: a question asked by people, some few a day. */
export function encodeMembershipQuestion(question: MembershipQuestion, timeoutMs: number): Buffer {
  return Buffer.from(JSON.stringify({ timeoutMs: Math.ceil(timeoutMs), question }));
}

/** Undefined if it is none. */
export function decodeMembershipQuestion(
  body: Uint8Array,
): { readonly question: MembershipQuestion; readonly timeoutMs: number } | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isRecord(parsed) || !isTimeout(parsed.timeoutMs) || !isRecord(parsed.question)) return undefined;
  const question = questionOf(parsed.question);
  return question === undefined ? undefined : { question, timeoutMs: parsed.timeoutMs };
}

function questionOf({
  kind,
  id,
  name,
  peerUrls,
  promote,
  to,
}: Record<string, unknown>): MembershipQuestion | undefined {
  if (kind === 'moveLeader') return typeof to === 'string' ? { kind, to } : undefined;
  if (typeof id !== 'string') return undefined;
  switch (kind) {
    case 'promote':
    case 'remove':
      return { kind, id };
    case 'update':
      return isTexts(peerUrls) ? { kind, id, peerUrls } : undefined;
    case 'add':
      if (typeof name !== 'string' || !isTexts(peerUrls) || (promote !== 'auto' && promote !== 'manual'))
        return undefined;
      return { kind, id, name, peerUrls, promote };
    default:
      return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isTimeout(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
