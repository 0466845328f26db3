import type { MemberDescription, MemberIdText, Promotion } from '../contract/members.ts';
import { jsonOf } from './answers.ts';
import type { Endpoints } from './exchange.ts';
import { bytesOf } from './key-path.ts';
import type { ReadOptions, RequestOptions } from './options.ts';
import { readQuery } from './queries.ts';
import { type Exchange, limitsOf } from './request.ts';

/** A member as the cluster's own table has it. */
export type Member = MemberDescription;

/** Who belongs to the cluster. */
export interface Membership {
  readonly clusterId: string;
  readonly members: readonly Member[];
}

/** After a change: also the member that it was about. */
export interface ChangedMembership extends Membership {
  readonly member: Member;
}

export interface MemberAddOptions extends RequestOptions {
  /** For people; a member that starts says its own. */
  readonly name?: string;
  /** `auto` (the default): it votes as soon as it has caught up. `manual`: when it is promoted. */
  readonly promote?: Promotion;
}

/**
 * The members of the cluster. One change at a time: `change_in_progress` while another one is under way; one that would
 * leave too few members to decide is refused with `quorum_at_risk`. Ids are hexadecimal.
 */
export class Members {
  readonly #endpoints: Endpoints;

  /** Use `BalsaClient.members`. */
  constructor(endpoints: Endpoints) {
    this.#endpoints = endpoints;
  }

  async list(options: Pick<ReadOptions, 'consistency' | 'timeoutMs' | 'signal'> = {}): Promise<Membership> {
    const reply = await this.#endpoints.exchange({
      ...limitsOf(options),
      method: 'GET',
      path: membersPath,
      repetition: 'harmless',
      query: readQuery(options),
    });
    return jsonOf(reply);
  }

  /**
   * Adds a member, which begins as a learner and is then to be started.
   *
   * ```ts
   * const { member } = await balsa.members.add(['http://10.0.0.4:2380'], { name: 'node4' });
   * ```
   *
   * @param peerUrls Where the other members reach it; `member_exists` if one of them has one of these.
   */
  add(peerUrls: readonly string[], options: MemberAddOptions = {}): Promise<ChangedMembership> {
    const { name, promote } = options;
    const body = { peerUrls, ...(name !== undefined && { name }), ...(promote !== undefined && { promote }) };
    return this.#change({ ...limitsOf(options), method: 'POST', path: membersPath }, body);
  }

  /** A learner votes from here on; `learner_behind` until it has caught up. */
  promote(id: MemberIdText, options: RequestOptions = {}): Promise<ChangedMembership> {
    return this.#change({ ...limitsOf(options), method: 'POST', path: `${pathOf(id)}/promote` });
  }

  /** Where the others reach it from now on. */
  update(id: MemberIdText, peerUrls: readonly string[], options: RequestOptions = {}): Promise<ChangedMembership> {
    return this.#change({ ...limitsOf(options), method: 'PATCH', path: pathOf(id) }, { peerUrls });
  }

  /** The member takes part no more; its id is never used again. */
  remove(id: MemberIdText, options: RequestOptions = {}): Promise<Membership> {
    return this.#change({ ...limitsOf(options), method: 'DELETE', path: pathOf(id) });
  }

  /** Hands leadership to a voter, by id or name, or to the most advanced one; resolves when it leads. */
  async moveLeader(to?: string, options: RequestOptions = {}): Promise<{ readonly leader: MemberIdText }> {
    const reply = await this.#endpoints.exchange({
      ...limitsOf(options),
      ...jsonBody({ to }),
      method: 'POST',
      path: '/v1/cluster/leader',
      // One that is named leads afterwards, however often that is asked for.
      repetition: to === undefined ? 'unsafe' : 'harmless',
      findOut: 'See who leads to find out.',
    });
    return jsonOf(reply);
  }

  async #change(request: Omit<Exchange, 'repetition'>, body?: object): Promise<ChangedMembership> {
    const reply = await this.#endpoints.exchange({
      ...request,
      ...(body !== undefined && jsonBody(body)),
      repetition: 'unsafe',
      findOut: 'List the members to find out.',
    });
    return jsonOf(reply);
  }
}

const membersPath = '/v1/cluster/members';

function pathOf(id: MemberIdText): string {
  return `${membersPath}/${encodeURIComponent(id)}`;
}

function jsonBody(body: object): Pick<Exchange, 'headers' | 'body'> {
  return { headers: { 'content-type': 'application/json' }, body: bytesOf(JSON.stringify(body)) };
}
