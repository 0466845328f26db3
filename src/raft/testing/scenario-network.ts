import type { MemberId, Message } from '../types.ts';

/** Which messages of those on their way a command means; everything that is not given matches. */
export interface MessageSelection {
  readonly from?: MemberId | undefined;
  readonly to?: MemberId | undefined;
  readonly type?: string | undefined;
  /** Only this one of those that match, counted from 1 in the order of sending. */
  readonly number?: number | undefined;
  /** Only the first so many of those that match. */
  readonly count?: number | undefined;
}

/**
 * Messages stay here from the moment they leave a node until a command delivers, drops or doubles them: nothing moves
 * by itself, and any order can be played. A cut link loses what is sent into it; what is on its way already stays.
 */
export class ScenarioNetwork {
  /** In the order of sending. */
  #onTheirWay: Message[] = [];
  /** Taken off the common way: they arrive only when a command says so. */
  #delayed: Message[] = [];
  readonly #cutLinks = new Set<string>();

  /** False if the message is lost, because the link is cut. */
  send(message: Message): boolean {
    if (this.#cutLinks.has(link(message.from, message.to))) return false;
    this.#onTheirWay.push(message);
    return true;
  }

  cut(from: MemberId, to: MemberId): void {
    this.#cutLinks.add(link(from, to));
  }

  heal(): void {
    this.#cutLinks.clear();
  }

  select(selection: MessageSelection): readonly Message[] {
    return selectFrom(this.#onTheirWay, selection);
  }

  take(selection: MessageSelection): readonly Message[] {
    const taken = this.select(selection);
    this.#onTheirWay = this.#onTheirWay.filter((message) => !taken.includes(message));
    return taken;
  }

  delay(selection: MessageSelection): readonly Message[] {
    const messages = this.take(selection);
    this.#delayed.push(...messages);
    return messages;
  }

  takeDelayed(selection: MessageSelection): readonly Message[] {
    const taken = selectFrom(this.#delayed, selection);
    this.#delayed = this.#delayed.filter((message) => !taken.includes(message));
    return taken;
  }

  /** Each copy arrives after everything that is on its way already. */
  duplicate(selection: MessageSelection): readonly Message[] {
    // A copy and not the same object, because messages are taken by identity.
    const copies = this.select(selection).map((message) => ({ ...message }));
    this.#onTheirWay.push(...copies);
    return copies;
  }
}

function link(from: MemberId, to: MemberId): string {
  return `${from}->${to}`;
}

function selectFrom(messages: readonly Message[], selection: MessageSelection): readonly Message[] {
  const matching = messages.filter(
    ({ from, to, type }) =>
      (selection.from ?? from) === from && (selection.to ?? to) === to && (selection.type ?? type) === type,
  );
  if (selection.number !== undefined) return matching.slice(selection.number - 1, selection.number);
  return matching.slice(0, selection.count ?? matching.length);
}
