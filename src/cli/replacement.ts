import type { Member } from '../client/index.ts';
import { CommandError } from './exit-codes.ts';
import { findMember, memberOf, nameOf } from './member-lookup.ts';

/** One member for another, as it was asked for. */
export interface ReplacementRequest {
  /** Name or id of the one that goes. */
  readonly old: string;
  /** Of the one that comes; undefined: that of the old one. */
  readonly name: string | undefined;
  /** Where it will be; undefined: where the old one was, which is gone from there. */
  readonly peerUrls: readonly string[] | undefined;
}

/** What is to be done, whatever has been done of it. Made once; the members are then looked up by what stands here. */
export interface Replacement {
  /** Undefined if it is gone already. */
  readonly oldId: string | undefined;
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** At the address of the old one, which therefore has to go first. */
  readonly isInPlace: boolean;
}

export type ReplacementStep =
  | { readonly kind: 'add' }
  | { readonly kind: 'wait'; readonly successor: Member }
  | { readonly kind: 'remove'; readonly old: Member }
  | { readonly kind: 'done'; readonly successor: Member };

/**
 * Understands a request, also when it is repeated after it was interrupted.
 *
 * @param isUp Whether a member answers. One that does cannot be replaced where it is.
 */
export function planReplacement(
  members: readonly Member[],
  { old, name, peerUrls }: ReplacementRequest,
  isUp: (member: Member) => boolean,
): Replacement {
  const present = peerUrls === undefined ? undefined : members.find((member) => isAt(member, peerUrls));
  const others = members.filter((member) => member !== present);
  const going = findMember(others, old);
  if (peerUrls !== undefined && going !== undefined) {
    return { oldId: going.id, name: name ?? going.name, peerUrls, isInPlace: false };
  }
  // The old one is gone, or it is the one that is at the new address.
  const there = present ?? memberOf(members, old);
  const plan = { name: name ?? there.name, peerUrls: there.peerUrls, isInPlace: true };
  if (there.role === 'learner') return { ...plan, oldId: undefined };
  if (!isUp(there)) {
    if (findMember([there], old) !== undefined) return { ...plan, oldId: there.id };
    throw new CommandError(`${nameOf(there)} has these peer URLs, votes, and is not ${old}; give other --peer-urls`);
  }
  if (peerUrls !== undefined) return { ...plan, oldId: undefined };
  throw new CommandError(
    `${nameOf(there)} is up; stop it and delete its data directory, or say with --peer-urls where the new one will be`,
  );
}

/** What comes next, as the members are now. */
export function nextStep(plan: Replacement, members: readonly Member[]): ReplacementStep {
  const old = members.find(({ id }) => id === plan.oldId);
  const successor = members.find((member) => member !== old && isAt(member, plan.peerUrls));
  if (plan.isInPlace && old !== undefined) return { kind: 'remove', old };
  if (successor === undefined) return { kind: 'add' };
  if (successor.role === 'learner') return { kind: 'wait', successor };
  return old === undefined ? { kind: 'done', successor } : { kind: 'remove', old };
}

function isAt(member: Member, peerUrls: readonly string[]): boolean {
  return member.peerUrls.some((url) => peerUrls.includes(url));
}
