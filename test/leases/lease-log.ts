import type { LeaseId, LeaseRecord } from '../../src/contract/lease.ts';
import type { Process } from '../sim/world/scheduler.ts';

/** What the log says about leases; see `mvcc/command.ts`, whose rules are those of `applyTo`. */
export type LeaseCommand =
  | { readonly kind: 'noop' }
  | { readonly kind: 'grant'; readonly id: LeaseId; readonly ttl: number }
  | { readonly kind: 'revoke'; readonly id: LeaseId }
  | { readonly kind: 'expire'; readonly term: number; readonly ids: readonly LeaseId[] }
  | {
      readonly kind: 'checkpoint';
      readonly term: number;
      readonly leases: readonly { readonly id: LeaseId; readonly remaining: number | undefined }[];
    };

/** `lost`: it failed, or nobody knows; it may take effect all the same. */
export type Outcome = 'done' | 'lost';

export interface LeaseEntry {
  readonly term: number;
  readonly command: LeaseCommand;
  readonly proposer: Process;
  readonly settle: (outcome: Outcome) => void;
}

/** As the state machine. What a leader says of time counts in its own term only. */
export function applyTo(
  leases: Map<LeaseId, LeaseRecord>,
  { term, command }: LeaseEntry,
  onChange: (id: LeaseId, lease: LeaseRecord | undefined) => void,
): void {
  const change = (id: LeaseId, lease: LeaseRecord | undefined): void => {
    if (lease === undefined) leases.delete(id);
    else leases.set(id, lease);
    onChange(id, lease);
  };
  switch (command.kind) {
    case 'noop':
      return;
    case 'grant':
      if (!leases.has(command.id)) change(command.id, { id: command.id, ttl: command.ttl, remaining: undefined });
      return;
    case 'revoke':
      if (leases.has(command.id)) change(command.id, undefined);
      return;
    case 'expire':
      if (command.term !== term) return;
      for (const id of command.ids) if (leases.has(id)) change(id, undefined);
      return;
    case 'checkpoint':
      if (command.term !== term) return;
      for (const { id, remaining } of command.leases) {
        const lease = leases.get(id);
        if (lease !== undefined) change(id, { ...lease, remaining });
      }
  }
}
