/** The cluster goes on without this member, for good. Its process ends: nobody would talk to it any more. */
export class MemberRemoved extends Error {
  override readonly name = 'MemberRemoved';
}
