import { type Member, parseMemberId } from '../client/index.ts';
import { CommandError } from './exit-codes.ts';

/** The member with that id or name; undefined if there is none. */
export function findMember(members: readonly Member[], given: string): Member | undefined {
  const id = parseMemberId(given);
  const byId = members.find((member) => member.id === id);
  if (byId !== undefined) return byId;
  const named = members.filter(({ name }) => name === given);
  if (named.length <= 1) return named[0];
  throw new CommandError(
    `${named.length} members are called ${given}; say which by its id: ${named.map((member) => member.id).join(', ')}`,
  );
}

export function memberOf(members: readonly Member[], given: string): Member {
  const member = findMember(members, given);
  if (member !== undefined) return member;
  throw new CommandError(`there is no member ${given}; the members are ${members.map(nameOf).join(', ')}`);
}

/** For people: `node4 (1c2f5a90b3d7e684)`. */
export function nameOf({ name, id }: Pick<Member, 'name' | 'id'>): string {
  return name === '' ? id : `${name} (${id})`;
}
