/**
 * The cluster goes on without this member, which was removed, or runs software that is too old. Its process ends: nobody
 * talks to it any more.
 */
export class MemberExpelled extends Error {
  override readonly name = 'MemberExpelled';
}
