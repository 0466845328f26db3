/** A rule of the ones below was broken: a bug of Balsa, or of the simulator. */
export class Violation extends Error {
  override readonly name = 'Violation';
  /** The same for every way in which this rule may be broken; shrinking looks for the same one. */
  readonly rule: Rule;

  constructor(rule: Rule, what: string) {
    super(`${rule}: ${what}`);
    this.rule = rule;
  }
}

export type Rule =
  | 'election safety'
  | 'log matching'
  | 'leader completeness'
  | 'state machine safety'
  | 'commit on a quorum'
  | 'membership'
  | 'mixed versions'
  | 'monotonic indices'
  | 'promise before durable'
  | 'member invariant'
  | 'linearizability'
  | 'revision order'
  | 'staleness bound'
  | 'model'
  | 'watch'
  | 'lease'
  | 'idempotent write'
  | 'liveness'
  | 'convergence'
  | 'restore'
  | 'store opens'
  | 'determinism';
