import { encodeCommand, type StateHash } from '../mvcc/index.ts';
import type { Term } from '../raft/index.ts';
import type { Duty } from './duty.ts';
import { peerRequestKinds } from './peer-request-kinds.ts';
import type { Replica } from './replica.ts';

export interface IntegrityOptions {
  /** 0: never. */
  readonly intervalMs: number;
}

/** This member's state differs from what most members have: it cannot be trusted, and has to be made anew. */
export class StateDiffers extends Error {
  override readonly name = 'StateDiffers';

  constructor(memberId: string, { index, hash }: StateHash) {
    super(
      `The state of this member (${memberId}) differs from that of the others: at log index ${index} their hash was ` +
        `${hash.toString(16)}. It stops, so that nobody is told anything wrong, and makes its state anew from the log ` +
        'when it is started again. Look after its memory and its disk, and tell the developers: this must not happen.',
    );
  }
}

const proposalTimeoutMs = 5000;
const answerTimeoutMs = 5000;
const lookAgainMs = 20;

/**
 * Compares the members' states. The leader has an entry mark a place in the log, at which every member notes the hash of
 * all that it ever applied; then it asks for the notes. Whoever differs from the majority is named to all of them by
 * another entry, and stops when it reads its own name there.
 */
export class Integrity implements Duty {
  readonly #replica: Replica;
  readonly #options: IntegrityOptions;
  #lastMs: number;
  /** Entries up to there were taken in by an earlier process, whose notes are gone. */
  readonly #openedIndex: number;
  #checkedIndex = 0;
  #isChecking = false;
  #isClearing = false;

  constructor(replica: Replica, options: IntegrityOptions) {
    this.#replica = replica;
    this.#options = options;
    this.#lastMs = replica.options.clock.monotonicMs();
    this.#openedIndex = replica.options.store.appliedIndex;
    replica.addDuty(this);
    replica.answerPeers(peerRequestKinds.stateHash, (body) => this.#answer(body));
  }

  onLeading(): void {}

  onDeposed(): void {}

  onTick(): void {
    this.#lookAtOwn();
    const { clock, store } = this.#replica.options;
    const now = clock.monotonicMs();
    const term = this.#replica.leadingTerm;
    const { intervalMs } = this.#options;
    if (term === undefined || intervalMs === 0 || now - this.#lastMs < intervalMs || this.#isChecking) return;
    this.#lastMs = now;
    if (store.appliedIndex === this.#checkedIndex) return;
    this.#isChecking = true;
    void this.#check(term).finally(() => {
      this.#isChecking = false;
    });
  }

  async #check(term: Term): Promise<void> {
    const { store, logger } = this.#replica.options;
    const marked = await this.#replica.propose(encodeCommand({ kind: 'checkState' }), proposalTimeoutMs);
    const own = store.stateHashes.at(-1);
    if (marked.outcome !== 'done' || own === undefined) return;
    const { known, right } = await this.#compare(own);
    if (this.#replica.leadingTerm !== term) return;
    // Nothing but this check may have happened by the next time.
    this.#checkedIndex = store.appliedIndex;
    const differing = known.filter(([, hash]) => hash !== own.hash);
    if (differing.length === 0) return;
    if (right === undefined) {
      logger.warn('states differ and no majority is of one mind', {
        index: own.index,
        hashes: Object.fromEntries(known),
      });
      return;
    }
    for (const [id, hash] of known) {
      if (hash === right) continue;
      logger.warn('the state of a member differs', { member: id, index: own.index, hash, expected: right });
      const alarm = { kind: 'alarm', action: 'raise', memberId: id, index: own.index, hash: right } as const;
      await this.#replica.propose(encodeCommand(alarm), proposalTimeoutMs);
    }
  }

  /** What every member noted at that place, of those that say so; and what most of all members did. */
  async #compare(own: StateHash): Promise<Comparison> {
    const { memberId } = this.#replica.options;
    const { voters, learners } = this.#replica.core.status().configuration;
    const members = [...new Set([...voters, ...learners])];
    const hashes = await Promise.all(
      members.map(async (id) => [id, id === memberId ? own.hash : await this.#ask(id, own.index)] as const),
    );
    const known = hashes.filter((entry): entry is readonly [string, number] => entry[1] !== undefined);
    return { known, right: majority(known, members.length) };
  }

  async #ask(member: string, index: number): Promise<number | undefined> {
    const { transport, groupId } = this.#replica.options;
    const body = Buffer.allocUnsafe(8);
    body.writeDoubleBE(index);
    const request = { groupId, kind: peerRequestKinds.stateHash, body, timeoutMs: answerTimeoutMs };
    const answer = await transport.request(member, request);
    if (answer.outcome !== 'answered' || answer.body.length !== 4) return undefined;
    return new DataView(answer.body.buffer, answer.body.byteOffset, 4).getUint32(0);
  }

  async #answer(body: Uint8Array): Promise<Uint8Array> {
    if (body.length !== 8) throw new Error('a question for a hash that cannot be read');
    const index = new DataView(body.buffer, body.byteOffset, 8).getFloat64(0);
    const { clock, store } = this.#replica.options;
    const deadlineMs = clock.monotonicMs() + answerTimeoutMs;
    while (store.appliedIndex < index && clock.monotonicMs() < deadlineMs && !this.#replica.isStopping) {
      await new Promise<void>((resolve) => clock.setTimer(lookAgainMs, resolve));
    }
    const noted = store.stateHashes.find((one) => one.index === index);
    const answer = Buffer.alloc(noted === undefined ? 0 : 4);
    if (noted !== undefined) answer.writeUInt32BE(noted.hash);
    return answer;
  }

  /** A state that was made anew from the log has come past the place where the old one differed. */
  #lookAtOwn(): void {
    const { store, memberId } = this.#replica.options;
    const expected = store.corruptMembers.get(memberId);
    if (expected === undefined || this.#isClearing || this.#replica.hasFailed) return;
    const own = store.stateHashes.find(({ index }) => index === expected.index);
    if (own === undefined && this.#openedIndex < expected.index) this.#meanwhile(this.#clearIfRight(expected));
    else if (own?.hash === expected.hash) this.#meanwhile(this.#clear(expected));
    else this.#replica.fail(new StateDiffers(memberId, expected));
  }

  /** Its note of that place has made way for later ones. Each covers all before it, so the last one tells as well. */
  async #clearIfRight(expected: StateHash): Promise<void> {
    const { store, memberId } = this.#replica.options;
    const own = store.stateHashes.at(-1);
    if (own === undefined) return;
    const { right } = await this.#compare(own);
    if (right === own.hash) await this.#clear(expected);
    // Others that do not answer, or have no note of that place any more, are asked again.
    else if (right !== undefined) this.#replica.fail(new StateDiffers(memberId, { index: own.index, hash: right }));
  }

  async #clear(expected: StateHash): Promise<void> {
    const { memberId } = this.#replica.options;
    const clear = { kind: 'alarm', action: 'clear', memberId, ...expected } as const;
    await this.#replica.submit(encodeCommand(clear), proposalTimeoutMs);
  }

  /** What fails is tried again. */
  #meanwhile(clearing: Promise<void>): void {
    this.#isClearing = true;
    const ended = (): void => {
      this.#isClearing = false;
    };
    clearing.then(ended, ended);
  }
}

interface Comparison {
  readonly known: readonly (readonly [member: string, hash: number])[];
  readonly right: number | undefined;
}

/** The hash that more than half of all members have, those that did not answer counted. */
function majority(known: readonly (readonly [string, number])[], members: number): number | undefined {
  const counts = new Map<number, number>();
  for (const [, hash] of known) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  for (const [hash, count] of counts) if (2 * count > members) return hash;
  return undefined;
}
