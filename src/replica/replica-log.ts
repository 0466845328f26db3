/** One event name per thing that happens. */
export interface ReplicaLog {
  info(event: string, facts: Record<string, unknown>): void;
  warn(event: string, facts: Record<string, unknown>): void;
}
