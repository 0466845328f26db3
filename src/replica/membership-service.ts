import { isOlder } from '../base/software-version.ts';
import { BalsaError } from '../contract/errors.ts';
import {
  type MemberAddRequest,
  type MemberDescription,
  type MembershipAnswer,
  type MoveLeaderAnswer,
  memberLimits,
} from '../contract/members.ts';
import type { MemberRecord } from '../mvcc/index.ts';
import { askLeader } from './ask-leader.ts';
import type { LeaderAnswer } from './leader-answer.ts';
import { decodeLeaderAnswer, encodeLeaderAnswer } from './leader-answer.ts';
import { changesSince, MembershipLeader } from './membership-leader.ts';
import { decodeMembershipQuestion, encodeMembershipQuestion, type MembershipQuestion } from './membership-question.ts';
import { peerRequestKinds } from './peer-request-kinds.ts';
import type { Replica } from './replica.ts';
import type { MembershipService, ReadOptions, RequestOptions } from './service.ts';

/** Changes of members, asked for on any member and made by the leader. */
export class ReplicaMembershipService implements MembershipService {
  readonly #replica: Replica;
  readonly #leader: MembershipLeader;

  constructor(replica: Replica) {
    this.#replica = replica;
    this.#leader = new MembershipLeader(replica);
    replica.answerPeers(peerRequestKinds.membership, (body) => this.#answerPeer(body));
  }

  async add({ name, peerUrls, promote }: MemberAddRequest, options: RequestOptions): Promise<MembershipAnswer> {
    if (Buffer.byteLength(name, 'utf8') > memberLimits.nameBytesMax) {
      throw refused('name', `The name of a member has at most ${memberLimits.nameBytesMax} bytes of UTF-8.`);
    }
    const urls = checkedUrls(peerUrls);
    const id = this.#newId();
    await this.#ask({ kind: 'add', id, name, peerUrls: urls, promote }, options);
    return this.#answer(id, options);
  }

  async promote(id: string, options: RequestOptions): Promise<MembershipAnswer> {
    await this.#member(id, options);
    await this.#ask({ kind: 'promote', id }, options);
    return this.#answer(id, options);
  }

  async remove(id: string, options: RequestOptions): Promise<MembershipAnswer> {
    await this.#member(id, options);
    try {
      await this.#ask({ kind: 'remove', id }, options);
    } catch (reason) {
      // Whoever is removed itself stops before it has heard the answer.
      if (!this.#replica.options.store.removedMembers.has(id)) throw reason;
    }
    const answer = await this.#answer(id, options);
    // It is decided, which a member that is removed itself may never hear.
    return { ...answer, member: undefined, members: answer.members.filter((member) => member.id !== id) };
  }

  async update(id: string, peerUrls: readonly string[], options: RequestOptions): Promise<MembershipAnswer> {
    const urls = checkedUrls(peerUrls);
    await this.#member(id, options);
    await this.#ask({ kind: 'update', id, peerUrls: urls }, options);
    return this.#answer(id, options);
  }

  async list(options: ReadOptions): Promise<MembershipAnswer> {
    if (options.consistency.level !== 'stale') await this.#replica.reads.confirm(options.timeoutMs);
    return this.#described(undefined);
  }

  async moveLeader(to: string | undefined, options: RequestOptions): Promise<MoveLeaderAnswer> {
    const leader = await this.#ask({ kind: 'moveLeader', to: to ?? '' }, options);
    return { header: this.#replica.header(), leader };
  }

  /** As of now, so that nobody is told that a member is missing which has just been added elsewhere. */
  async #member(id: string, { timeoutMs }: RequestOptions): Promise<MemberRecord> {
    await this.#replica.reads.confirm(timeoutMs);
    const member = this.#replica.options.store.members.find((record) => record.id === id);
    if (member !== undefined) return member;
    const wasRemoved = this.#replica.options.store.removedMembers.has(id);
    throw new BalsaError(
      'member_not_found',
      wasRemoved
        ? `The member ${id} was removed, and ids are never used again: add it anew.`
        : `There is no member ${id}; GET /v1/cluster lists them.`,
    );
  }

  /** The change is committed; this member shows it when it has applied it. */
  async #answer(id: string, { timeoutMs }: RequestOptions): Promise<MembershipAnswer> {
    await this.#replica.reads.confirm(timeoutMs).catch(() => undefined);
    return this.#described(id);
  }

  #described(id: string | undefined): MembershipAnswer {
    const { store, clusterId } = this.#replica.options;
    const { voters } = this.#replica.core.status().configuration;
    const members = store.members.map((record) => describe(record, voters));
    return { header: this.#replica.header(), clusterId, member: members.find((one) => one.id === id), members };
  }

  async #ask(question: MembershipQuestion, { timeoutMs }: RequestOptions): Promise<string> {
    this.#refuseOldLeader();
    const asked = {
      hasEffect: true,
      answer: (leftMs: number) => this.#leader.answer(question, leftMs),
      peerKind: peerRequestKinds.membership,
      encode: (leftMs: number) => encodeMembershipQuestion(question, leftMs),
      decode: (body: Uint8Array) => decodeLeaderAnswer(body, (value) => value.toString('utf8')),
    };
    return askLeader(this.#replica, asked, timeoutMs);
  }

  /** It would not answer at all, and whoever asked could only be told that the outcome is unknown. */
  #refuseOldLeader(): void {
    const { core, options } = this.#replica;
    const leader = options.store.members.find(({ id }) => id === core.leader);
    // One that has not said its version may have been started just now.
    if (leader === undefined || leader.version === '' || !isOlder(leader.version, changesSince)) return;
    throw new BalsaError(
      'not_capable',
      `${leader.name} (${leader.id}) leads and runs ${leader.version}, which does not know changes of members: ` +
        'upgrade it; another one leads when it stops.',
    );
  }

  async #answerPeer(body: Uint8Array): Promise<Uint8Array> {
    const decoded = decodeMembershipQuestion(body);
    if (decoded === undefined) throw new Error('a question about members that cannot be read');
    const answer: LeaderAnswer<string> = await this.#leader.answer(decoded.question, decoded.timeoutMs);
    return encodeLeaderAnswer(answer, (value) => Buffer.from(value, 'utf8'));
  }

  /** Random and never 0 (pitfall: ids that follow from something are used again by accident). */
  #newId(): string {
    const { random } = this.#replica.options;
    return ((BigInt(random.below(2 ** 32)) << 32n) | BigInt(1 + random.below(2 ** 32 - 1))).toString(16);
  }
}

function describe({ id, name, peerUrls, clientUrls }: MemberRecord, voters: readonly string[]): MemberDescription {
  return { id, name, role: voters.includes(id) ? 'voter' : 'learner', peerUrls, clientUrls };
}

/** As the members dial them: `http://host:port`, each once. */
function checkedUrls(urls: readonly string[]): readonly string[] {
  const { peerUrlsMax, urlBytesMax } = memberLimits;
  if (urls.length === 0 || urls.length > peerUrlsMax) {
    throw refused('peerUrls', `A member has 1 to ${peerUrlsMax} peer URLs; these are ${urls.length}.`);
  }
  return [...new Set(urls.map(checkedUrl))];

  function checkedUrl(text: string): string {
    const url = text.length <= urlBytesMax && URL.canParse(text) ? new URL(text) : undefined;
    const isPlain = url?.protocol === 'http:' && url.pathname === '/' && url.search === '' && url.username === '';
    if (url !== undefined && isPlain && url.hash === '' && url.port !== '0') return url.origin;
    throw refused('peerUrls', `"${text.slice(0, urlBytesMax)}" is no peer URL; give http://host:port.`);
  }
}

function refused(parameter: string, detail: string): BalsaError {
  return new BalsaError('bad_request', detail, { extras: { parameter } });
}
