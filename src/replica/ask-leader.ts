import { BalsaError } from '../contract/errors.ts';
import type { LeaderAnswer } from './leader-answer.ts';
import type { Replica } from './replica.ts';

/** It may be asked twice without harm: an answer that is lost is no reason to give up. */
export interface LeaderQuestion<Value> {
  /** Whoever is asked may do it although the answer is lost; then no error may say that nothing has happened. */
  readonly hasEffect: boolean;
  /** The leader is this member. */
  answer(timeoutMs: number): Promise<LeaderAnswer<Value>>;
  /** For another member, under that kind of peer request. */
  readonly peerKind: number;
  encode(timeoutMs: number): Uint8Array;
  /** Undefined if it is none. */
  decode(body: Uint8Array): LeaderAnswer<Value> | undefined;
}

/** Without a leader, or with one that does not answer, the question is asked again after that time. */
const retryMs = 50;

/** Asks whoever leads, until the time is up. Rejects with a `BalsaError`. */
export async function askLeader<Value>(
  replica: Replica,
  question: LeaderQuestion<Value>,
  timeoutMs: number,
): Promise<Value> {
  const { clock, memberId } = replica.options;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  let wasLost = false;
  const failed = (error: BalsaError): BalsaError => (wasLost && question.hasEffect ? unknownBecause(error) : error);
  for (;;) {
    const leftMs = deadlineMs - clock.monotonicMs();
    if (leftMs <= 0) throw failed(tooLate(replica));
    const { leader } = replica.core;
    let answer: LeaderAnswer<Value> | 'lost' = { kind: 'notLeading' };
    if (leader === memberId) answer = await question.answer(leftMs);
    else if (leader !== undefined) answer = await askPeer(replica, leader, question, leftMs);
    if (answer === 'lost') wasLost = true;
    else if (answer.kind === 'answered') return answer.value;
    else if (answer.kind === 'failed') throw failed(answer.error);
    if (replica.isStopping) throw failed(new BalsaError('unavailable', 'This member is stopping. Ask another member.'));
    await new Promise<void>((resolve) => clock.setTimer(Math.min(retryMs, leftMs), resolve));
  }
}

async function askPeer<Value>(
  replica: Replica,
  leader: string,
  question: LeaderQuestion<Value>,
  timeoutMs: number,
): Promise<LeaderAnswer<Value> | 'lost'> {
  const { transport, groupId } = replica.options;
  const request = { groupId, kind: question.peerKind, body: question.encode(timeoutMs), timeoutMs };
  const answer = await transport.request(leader, request);
  if (answer.outcome === 'not_sent') return { kind: 'notLeading' };
  return (answer.outcome === 'answered' ? question.decode(answer.body) : undefined) ?? 'lost';
}

function unknownBecause(error: BalsaError): BalsaError {
  const detail = `The leader was asked and its answer was lost, so it may have been done. Then: ${error.message}`;
  return new BalsaError('outcome_unknown', detail, { cause: error });
}

function tooLate(replica: Replica): BalsaError {
  if (replica.core.leader === undefined) {
    return new BalsaError('no_leader', 'The cluster had no leader within the time-out. See /v1/cluster.');
  }
  return new BalsaError('timeout', 'The leader did not answer within the time-out. Ask again.');
}
