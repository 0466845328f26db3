import type { Message } from './types.ts';

/** Far more than a member with a working disk ever has waiting. Raft repeats what is lost. */
const waitingMax = 4096;

/** What a `Ready` has the disk write, and messages therefore may have to wait for. */
export interface Persists {
  /** Term or vote. */
  readonly vote: boolean;
  /** Term, vote or entries. */
  readonly anything: boolean;
}

interface OutgoingMessages {
  readonly messages: readonly Message[];
  readonly messagesAfterPersist: readonly Message[];
}

/**
 * Messages that wait for the next `Ready`. A member whose disk hangs takes no `Ready` and goes on receiving, so of each
 * kind only the newest waits for each receiver, and an acknowledgement covers the ones before it.
 */
export class Outbox {
  #waiting = new Map<string, Message>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  add(message: Message): void {
    const slot = slotOf(message);
    const waiting = this.#waiting.get(slot);
    if (waiting === undefined && this.#waiting.size >= waitingMax) return;
    this.#waiting.set(slot, waiting === undefined ? message : merged(waiting, message));
  }

  /** Empties it, behind the appends, which are made for this very `Ready`. */
  take(appends: readonly Message[], persists: Persists): OutgoingMessages {
    const waiting = this.#waiting;
    const prompt = [...appends];
    const promises: Message[] = [];
    for (const message of waiting.values()) (isPromise(message) ? promises : prompt).push(message);
    if (waiting.size > 0) this.#waiting = new Map();
    if (!persists.anything) return { messages: [...prompt, ...promises], messagesAfterPersist: [] };
    // Everything reveals the term that it was said in, a refusal too; a crash must not take that back.
    if (persists.vote) return { messages: [], messagesAfterPersist: [...promises, ...prompt] };
    return { messages: prompt, messagesAfterPersist: promises };
  }
}

/** Votes and acknowledgements speak of what this very batch may write (thesis 3.8, 10.2.1; etcd-io/raft `send`). */
function isPromise({ type }: Message): boolean {
  return type === 'preVoteResponse' || type === 'requestVoteResponse' || type === 'appendEntriesResponse';
}

/** Messages in one slot replace each other. */
function slotOf(message: Message): string {
  switch (message.type) {
    case 'appendEntriesResponse':
      return `${message.type} ${message.to} ${message.result.accepted}`;
    case 'readIndex':
    case 'readIndexResponse':
      return `${message.type} ${message.to} ${message.context}`;
    default:
      return `${message.type} ${message.to}`;
  }
}

function merged(old: Message, fresh: Message): Message {
  if (old.term !== fresh.term) return fresh;
  if (old.type === 'appendEntriesResponse' && fresh.type === 'appendEntriesResponse') {
    // Of a duplicate that came late the answer is lower; within a term nothing that was acknowledged is taken back.
    const isCovered = old.result.accepted && fresh.result.accepted && old.result.matchIndex > fresh.result.matchIndex;
    return isCovered ? old : fresh;
  }
  if (old.type === 'heartbeatResponse' && fresh.type === 'heartbeatResponse') {
    return old.readRound > fresh.readRound ? old : fresh;
  }
  return fresh;
}
