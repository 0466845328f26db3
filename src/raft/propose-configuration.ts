import {
  configurationFault,
  emptyConfiguration,
  enterConfiguration,
  isJoint,
  isSameConfiguration,
  leaveJoint,
} from './configuration.ts';
import { encodeConfigurationData } from './configuration-data.ts';
import type { CoreState, Leadership } from './core-state.ts';
import { configurationAppended } from './membership.ts';
import { hasRoom } from './propose.ts';
import { appendAsLeader } from './replicate.ts';
import type { ConfigurationChange, ConfigurationEntry, LogIndex, ProposalResult } from './types.ts';

/** A change of the members on its way into the leader's log (thesis 4.3). */
export function proposeConfiguration(core: CoreState, change: ConfigurationChange): ProposalResult {
  const { leadership, configuration } = core;
  if (leadership === undefined) return { accepted: false, reason: 'not_leader' };
  if (leadership.transfer !== undefined) return { accepted: false, reason: 'transferring' };
  if (!mayChange(core, leadership)) return { accepted: false, reason: 'configuration_pending' };
  const { voters, learners, context } = change;
  const target = { ...emptyConfiguration, voters, learners };
  if (configurationFault(target) !== undefined || isSameConfiguration(target, configuration)) {
    return { accepted: false, reason: 'invalid_configuration' };
  }
  const data = encodeConfigurationData(enterConfiguration(configuration, change), context);
  if (!hasRoom(core, leadership, data.length)) return { accepted: false, reason: 'uncommitted_limit' };
  return { accepted: true, term: core.term, firstIndex: append(core, leadership, data) };
}

/**
 * Leaves the joint configuration that is committed and applied here, whoever began it. Not during a transfer: its target
 * has to become as long as this log, and will see to it, or this leader when the transfer is over.
 */
export function maybeLeaveJoint(core: CoreState, leadership: Leadership): void {
  const { configuration, log } = core;
  if (!isJoint(configuration) || !configuration.autoLeave || leadership.transfer !== undefined) return;
  if (log.configurations.newest.index > log.applied || log.committed < leadership.noopIndex) return;
  append(core, leadership, encodeConfigurationData(leaveJoint(configuration), noContext));
}

/** The newest configuration, until it is committed, applied and not joint. */
export function pendingConfiguration({ log }: CoreState): ConfigurationEntry | undefined {
  const { newest } = log.configurations;
  return isJoint(newest.configuration) || newest.index > log.applied ? newest : undefined;
}

/**
 * One change at a time; and not before an entry of this term is committed, or what an earlier leader has begun could
 * still come to be without this one knowing (Ongaro, "bug in single-server membership changes", raft-dev, 2015).
 */
function mayChange(core: CoreState, { noopIndex }: Leadership): boolean {
  return pendingConfiguration(core) === undefined && core.log.committed >= noopIndex;
}

function append(core: CoreState, leadership: Leadership, data: Uint8Array): LogIndex {
  const index = appendAsLeader(core, leadership, 'configuration', [data]);
  configurationAppended(core, leadership);
  return index;
}

const noContext = new Uint8Array(0);
