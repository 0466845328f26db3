import { unreachable } from '../base/assert.ts';
import type { CoreState } from './core-state.ts';
import { handleAppendEntries } from './handle-append-entries.ts';
import { handleAppendEntriesResponse } from './handle-append-entries-response.ts';
import { handleHeartbeat } from './handle-heartbeat.ts';
import { handleHeartbeatResponse } from './handle-heartbeat-response.ts';
import { handleInstallSnapshot } from './handle-install-snapshot.ts';
import { handlePreVote } from './handle-pre-vote.ts';
import { handlePreVoteResponse } from './handle-pre-vote-response.ts';
import { handleReadIndex } from './handle-read-index.ts';
import { handleReadIndexResponse } from './handle-read-index-response.ts';
import { handleRequestVote } from './handle-request-vote.ts';
import { handleRequestVoteResponse } from './handle-request-vote-response.ts';
import { handleTimeoutNow } from './handle-timeout-now.ts';
import type { Message } from './types.ts';
import { isWellFormed } from './well-formed.ts';

/**
 * One received message: first the rules for terms that hold for all of them (Raft paper, figure 2, all servers), then
 * the message's own.
 */
export function step(core: CoreState, message: Message): void {
  if (message.to !== core.id || message.from === core.id || !isWellFormed(message)) return;
  if (message.term < core.term) {
    answerOlderTerm(core, message);
    return;
  }
  if (message.term > core.term && !isAboutNextTerm(message)) {
    // Leader stickiness (thesis 4.2.3), but for a transfer, which the leader itself began.
    if (message.type === 'requestVote' && !message.transfer && core.hearsLeader) return;
    core.becomeFollower(message.term, undefined);
  }
  handle(core, message);
}

/** Pre-votes and their grants carry a term that nobody has begun; they leave everybody's term where it is. */
function isAboutNextTerm(message: Message): boolean {
  return message.type === 'preVote' || (message.type === 'preVoteResponse' && message.granted);
}

/**
 * Older terms are never obeyed. A leader or pre-candidate of an older term is told the present one, or it could stay
 * for ever, because its messages are ignored (etcd-io/raft `raft.go`, Step; etcd-io/etcd#8525).
 */
function answerOlderTerm(core: CoreState, message: Message): void {
  const [from, to, term] = [core.id, message.from, core.term];
  switch (message.type) {
    case 'appendEntries':
    case 'installSnapshot':
    case 'heartbeat': {
      const rejectedIndex = message.type === 'appendEntries' ? message.previousIndex : 0;
      const result = { accepted: false, rejectedIndex, hintIndex: 0, hintTerm: 0, needsSnapshot: false } as const;
      core.send({ type: 'appendEntriesResponse', from, to, term, result });
      break;
    }
    case 'preVote':
      core.send({ type: 'preVoteResponse', from, to, term, granted: false });
      break;
    case 'requestVote':
      core.send({ type: 'requestVoteResponse', from, to, term, granted: false });
      break;
    default:
  }
}

function handle(core: CoreState, message: Message): void {
  switch (message.type) {
    case 'preVote':
      handlePreVote(core, message);
      break;
    case 'preVoteResponse':
      handlePreVoteResponse(core, message);
      break;
    case 'requestVote':
      handleRequestVote(core, message);
      break;
    case 'requestVoteResponse':
      handleRequestVoteResponse(core, message);
      break;
    case 'appendEntries':
      handleAppendEntries(core, message);
      break;
    case 'appendEntriesResponse':
      handleAppendEntriesResponse(core, message);
      break;
    case 'heartbeat':
      handleHeartbeat(core, message);
      break;
    case 'heartbeatResponse':
      handleHeartbeatResponse(core, message);
      break;
    case 'readIndex':
      handleReadIndex(core, message);
      break;
    case 'readIndexResponse':
      handleReadIndexResponse(core, message);
      break;
    case 'timeoutNow':
      handleTimeoutNow(core, message);
      break;
    case 'installSnapshot':
      handleInstallSnapshot(core, message);
      break;
    default:
      unreachable(message);
  }
}
