import { InvariantViolation, unreachable } from '../base/assert.ts';
import {
  type Applying,
  applyAlarm,
  applyCompact,
  applyDelete,
  applyDeleteRange,
  applyLeaseCheckpoint,
  applyLeaseExpire,
  applyLeaseGrant,
  applyLeaseRevoke,
  applyPublish,
  applyPut,
  applyQuota,
  type EntryContext,
} from './apply.ts';
import { applyMemberAdd, applyMemberPromoted, applyMemberRemove, applyMemberUpdate } from './apply-members.ts';
import { applyTxn } from './apply-txn.ts';
import { applyClusterVersion } from './cluster-version.ts';
import { type Command, scans } from './command.ts';
import { Draft } from './draft.ts';
import { Layer } from './layer.ts';
import type { CommandResult } from './result.ts';
import type { Tables } from './tables.ts';

/** It has to read ranges before it can decide. */
export function isSlow(command: Command): boolean {
  switch (command.kind) {
    case 'once':
      return isSlow(command.command);
    case 'txn':
      return scans(command.txn);
    case 'deleteRange':
    case 'compact':
    case 'leaseRevoke':
    case 'leaseExpire':
      return true;
    default:
      return false;
  }
}

export function applyAtOnce(tables: Tables, command: Command, context: EntryContext): CommandResult {
  switch (command.kind) {
    case 'put':
      return applyPut(tables, command);
    case 'delete':
      return applyDelete(tables, command);
    case 'txn':
      return applyPointTxn(tables, command);
    case 'publish':
      return applyPublish(tables, command);
    case 'leaseGrant':
      return applyLeaseGrant(tables, command);
    case 'leaseCheckpoint':
      return applyLeaseCheckpoint(tables, command, context);
    case 'quota':
      return applyQuota(tables, command);
    case 'alarm':
      return applyAlarm(tables, command);
    case 'memberAdd':
      return applyMemberAdd(tables, command);
    case 'memberRemove':
      return applyMemberRemove(tables, command);
    case 'memberUpdate':
      return applyMemberUpdate(tables, command);
    case 'memberPromoted':
      return applyMemberPromoted(tables, command);
    case 'clusterVersion':
      return applyClusterVersion(tables, command);
    case 'checkState':
    case 'once':
    case 'deleteRange':
    case 'compact':
    case 'leaseRevoke':
    case 'leaseExpire':
      throw new InvariantViolation(`a ${command.kind} is not applied like that`);
    default:
      return unreachable(command);
  }
}

export function applySlowly(draft: Draft, command: Command, context: EntryContext): Applying {
  switch (command.kind) {
    case 'txn':
      return applyTxn(draft, command);
    case 'deleteRange':
      return applyDeleteRange(draft, command);
    case 'compact':
      return applyCompact(draft, command);
    case 'leaseRevoke':
      return applyLeaseRevoke(draft, command);
    case 'leaseExpire':
      return applyLeaseExpire(draft, command, context);
    default:
      throw new InvariantViolation(`a ${command.kind} reads no ranges`);
  }
}

/** It reads single keys only, so it never has to ask. */
function applyPointTxn(tables: Tables, command: Extract<Command, { kind: 'txn' }>): CommandResult {
  const draft = new Draft(tables, new Layer());
  const step = applyTxn(draft, command).next();
  if (step.done !== true) throw new InvariantViolation('a transaction on single keys reads a range');
  if (step.value.kind !== 'refused') draft.commit();
  return step.value;
}
