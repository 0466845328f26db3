/** A member as the state machine knows it: the one source of who the members are. */
export interface MemberRecord {
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** Empty until the member has published them. */
  readonly clientUrls: readonly string[];
  /** Of the software it runs; empty until published. */
  readonly version: string;
  /** It is a learner, to be made a voter by the leader when it has caught up, or when somebody says so. */
  readonly promote?: 'auto' | 'manual';
}
