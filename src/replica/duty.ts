import type { Term } from '../raft/index.ts';

/** What the leader does beside replicating: keep leases, compact, compare. */
export interface Duty {
  /** This member leads, and its state machine holds everything that was committed before it did. */
  onLeading(term: Term): void;
  /** It leads no more. */
  onDeposed(): void;
  /** Every heartbeat interval, or late; whoever leads. */
  onTick(): void;
}
