import type { MemberId, Message } from './types.ts';

/** Far more than a member with a working disk ever has waiting. Raft repeats what is lost. */
const waitingMax = 10_000;

/**
 * Messages that wait for the next `Ready`. Bounded: a member whose disk hangs takes no `Ready`, and goes on receiving.
 */
export class Outbox {
  #prompt: Message[] = [];
  #afterPersist: Message[] = [];
  readonly #heartbeats = new Map<MemberId, Message>();
  readonly #heartbeatResponses = new Map<MemberId, Message>();

  get isEmpty(): boolean {
    return (
      this.#prompt.length === 0 &&
      this.#afterPersist.length === 0 &&
      this.#heartbeats.size === 0 &&
      this.#heartbeatResponses.size === 0
    );
  }

  add(message: Message): void {
    switch (message.type) {
      case 'heartbeat':
        this.#heartbeats.set(message.to, message);
        break;
      case 'heartbeatResponse':
        this.#heartbeatResponses.set(message.to, message);
        break;
      case 'appendEntries':
      case 'timeoutNow':
      case 'readIndex':
      case 'readIndexResponse':
        addBounded(this.#prompt, message);
        break;
      default:
        addBounded(this.#afterPersist, message);
    }
  }

  /**
   * What may leave at once, and what must not leave before the disk has what it rests on. Everything rests on the term
   * and the vote; acknowledgements rest on the entries too. An answer to a heartbeat promises no entry.
   */
  take(persists: { readonly hardState: boolean; readonly anything: boolean }): {
    readonly messages: readonly Message[];
    readonly messagesAfterPersist: readonly Message[];
  } {
    const prompt = [...this.#prompt, ...this.#heartbeats.values(), ...this.#heartbeatResponses.values()];
    const waiting = this.#afterPersist;
    this.#prompt = [];
    this.#afterPersist = [];
    this.#heartbeats.clear();
    this.#heartbeatResponses.clear();
    if (!persists.anything) return { messages: [...prompt, ...waiting], messagesAfterPersist: [] };
    if (persists.hardState) return { messages: [], messagesAfterPersist: [...waiting, ...prompt] };
    return { messages: prompt, messagesAfterPersist: waiting };
  }
}

function addBounded(messages: Message[], message: Message): void {
  if (messages.length >= waitingMax) messages.shift();
  messages.push(message);
}
