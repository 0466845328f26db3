import { alarmKey } from './alarms-table.ts';
import { done, refused } from './apply.ts';
import type { Command } from './command.ts';
import { Draft } from './draft.ts';
import type { MemberRecord } from './member-record.ts';
import { encodeMember, encodeRemovedMember, memberKey, removedMemberKey } from './members-table.ts';
import type { CommandResult } from './result.ts';
import type { Tables } from './tables.ts';

type CommandOf<Kind extends Command['kind']> = Extract<Command, { kind: Kind }>;

/** Whether its URLs are free the proposer has seen to: the configuration that comes with it is in effect already. */
export function applyMemberAdd(tables: Tables, { member }: CommandOf<'memberAdd'>): CommandResult {
  if (tables.members.removed.has(member.id)) return refused(tables, 'member_removed');
  if (tables.members.find(member.id) !== undefined) return refused(tables, 'member_exists');
  return write(tables, member);
}

/** What is said of the member elsewhere goes with it. */
export function applyMemberRemove(tables: Tables, { memberId }: CommandOf<'memberRemove'>): CommandResult {
  if (tables.members.find(memberId) === undefined) return refused(tables, 'member_not_found');
  const { keySpace } = tables;
  const draft = new Draft(tables);
  const removed = removedMemberKey(keySpace, memberId);
  draft.write(memberKey(keySpace, memberId), null);
  draft.write(removed, encodeRemovedMember(removed.bytes));
  if (tables.corrupt.delete(memberId)) draft.write(alarmKey(keySpace, memberId), null);
  draft.commit();
  tables.members.remove(memberId);
  return done(tables);
}

/** Never changes whether the member votes. */
export function applyMemberUpdate(tables: Tables, { memberId, peerUrls }: CommandOf<'memberUpdate'>): CommandResult {
  const member = tables.members.find(memberId);
  if (member === undefined) return refused(tables, 'member_not_found');
  const others = tables.members.all.filter(({ id }) => id !== memberId);
  if (others.some((other) => other.peerUrls.some((url) => peerUrls.includes(url)))) {
    return refused(tables, 'peer_url_taken');
  }
  return write(tables, { ...member, peerUrls });
}

export function applyMemberPromoted(tables: Tables, { memberId }: CommandOf<'memberPromoted'>): CommandResult {
  const member = tables.members.find(memberId);
  if (member === undefined) return refused(tables, 'member_not_found');
  const { promote: _, ...voter } = member;
  return write(tables, voter);
}

function write(tables: Tables, member: MemberRecord): CommandResult {
  const key = memberKey(tables.keySpace, member.id);
  const draft = new Draft(tables);
  draft.write(key, encodeMember(key.bytes, member));
  draft.commit();
  tables.members.set(member);
  return done(tables);
}
