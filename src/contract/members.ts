import type { AnswerHeader } from './kv.ts';

/** 16 hexadecimal digits at most, lower case, without leading zeros; never reused. */
export type MemberIdText = string;

/** How a new member comes to vote: by itself as soon as it has caught up, or when somebody says so. */
export type Promotion = 'auto' | 'manual';

export interface MemberAddRequest {
  /** For people; a member that starts says its own. Empty: not known yet. */
  readonly name: string;
  /** Where the other members reach it: 1 to 4 `http://host:port`, of no other member. */
  readonly peerUrls: readonly string[];
  /** It begins as a learner either way. */
  readonly promote: Promotion;
}

/** A member as the cluster's own table has it. */
export interface MemberDescription {
  readonly id: MemberIdText;
  readonly name: string;
  readonly role: 'voter' | 'learner';
  readonly peerUrls: readonly string[];
  /** Empty until the member has started. */
  readonly clientUrls: readonly string[];
}

/** After a change of members, or of what is known of one. */
export interface MembershipAnswer {
  readonly header: AnswerHeader;
  readonly clusterId: string;
  /** The one that it was about; `undefined` when that one is gone. */
  readonly member: MemberDescription | undefined;
  readonly members: readonly MemberDescription[];
}

export interface MoveLeaderAnswer {
  readonly header: AnswerHeader;
  readonly leader: MemberIdText;
}

export const memberLimits = { nameBytesMax: 128, peerUrlsMax: 4, urlBytesMax: 256, membersMax: 32 } as const;

/** Hexadecimal, with or without leading zeros, in upper or lower case; undefined if it is no member id. */
export function parseMemberId(text: string): MemberIdText | undefined {
  if (!/^[0-9a-f]{1,16}$/i.test(text)) return undefined;
  const id = text.toLowerCase().replace(/^0+/, '');
  return id === '' ? undefined : id;
}
