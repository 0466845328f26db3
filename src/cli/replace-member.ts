import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BalsaClient,
  BalsaError,
  type ChangedMembership,
  type ClusterMember,
  type Member,
} from '../client/index.ts';
import { CommandError } from './exit-codes.ts';
import { nameOf } from './member-lookup.ts';
import { nextStep, planReplacement, type Replacement, type ReplacementRequest } from './replacement.ts';

/** Whom to tell what. */
export interface ReplacementListener {
  /** The new member is there, and has to be started by somebody. */
  readonly onAdded: (added: ChangedMembership) => void;
  readonly onRemoved: (member: Member) => void;
  /** What is being waited for; `detail` changes while that stays the same. */
  readonly onWaiting: (what: string, detail: string) => void;
}

export interface ReplaceOptions {
  readonly signal: AbortSignal;
  /** Between two looks at how far it is. */
  readonly pauseMs: number;
}

/**
 * Adds a member, waits until it votes, and removes the old one. Each step is found from what the members are, so that it
 * can be interrupted anywhere and begun again; what another try can mend is tried again, until `signal`.
 *
 * @returns the new member, which votes.
 */
export async function replaceMember(
  client: BalsaClient,
  request: ReplacementRequest,
  listener: ReplacementListener,
  { signal, pauseMs }: ReplaceOptions,
): Promise<Member> {
  const states = await client.cluster({ signal });
  const isUp = ({ id }: { readonly id: string }): boolean =>
    states.members.some((member) => member.id === id && member.state !== 'unreachable');
  const plan = planReplacement((await client.members.list({ signal })).members, request, isUp);
  const succession = new Succession(client, plan, listener, signal);
  for (;;) {
    try {
      const successor = await succession.step();
      if (successor !== undefined) return successor;
    } catch (reason) {
      if (signal.aborted || !(reason instanceof BalsaError) || !isMended(reason)) throw reason;
      listener.onWaiting('the cluster to go on', reason.detail);
    }
    await sleep(pauseMs, undefined, { signal });
  }
}

/** A learner that has all, and does not vote after so many looks, was added to be promoted by hand. */
const looksBeforePromotion = 4;

class Succession {
  readonly #client: BalsaClient;
  readonly #plan: Replacement;
  readonly #listener: ReplacementListener;
  readonly #signal: AbortSignal;
  #looksWithoutLag = 0;

  constructor(client: BalsaClient, plan: Replacement, listener: ReplacementListener, signal: AbortSignal) {
    this.#client = client;
    this.#plan = plan;
    this.#listener = listener;
    this.#signal = signal;
  }

  /** One step, or a look; the new member when all is done. */
  async step(): Promise<Member | undefined> {
    const { members } = this.#client;
    const limits = { signal: this.#signal };
    const step = nextStep(this.#plan, (await members.list(limits)).members);
    switch (step.kind) {
      case 'add': {
        const { name, peerUrls } = this.#plan;
        this.#listener.onAdded(await members.add(peerUrls, { ...limits, name }));
        return undefined;
      }
      case 'wait':
        await this.#wait(step.successor);
        return undefined;
      case 'remove':
        await members.remove(step.old.id, limits);
        this.#listener.onRemoved(step.old);
        return undefined;
      case 'done':
        return step.successor;
    }
  }

  async #wait(successor: Member): Promise<void> {
    const { members } = await this.#client.cluster({ signal: this.#signal });
    const seen = members.find(({ id }) => id === successor.id);
    this.#listener.onWaiting(...waitingFor(successor, seen));
    this.#looksWithoutLag = seen?.state !== 'unreachable' && seen?.lagEntries === 0 ? this.#looksWithoutLag + 1 : 0;
    if (this.#looksWithoutLag < looksBeforePromotion) return;
    this.#looksWithoutLag = 0;
    await this.#client.members.promote(successor.id, { signal: this.#signal });
  }
}

function waitingFor(successor: Member, seen: ClusterMember | undefined): [what: string, detail: string] {
  const name = nameOf(successor);
  if (seen === undefined || seen.state === 'unreachable') return [`${name} to start`, 'nothing has been heard of it'];
  if (seen.lagEntries === null) return [`${name} to catch up`, 'the cluster has no leader'];
  if (seen.lagEntries === 0) return [`${name} to vote`, 'it has caught up'];
  return [`${name} to catch up`, `${seen.lagEntries.toLocaleString('en')} log entries to go`];
}

/** Whether the next look at the members will tell what to do. */
function isMended(reason: BalsaError): boolean {
  switch (reason.code) {
    case 'quorum_at_risk':
      return false;
    case 'outcome_unknown':
    case 'member_exists':
    case 'member_not_found':
    case 'not_a_learner':
      return true;
    default:
      return reason.kind.retryable;
  }
}

/** For whoever interrupts it. */
export function interruptedReplacement(): CommandError {
  return new CommandError('interrupted; run the same command again, and it goes on from where it was');
}
