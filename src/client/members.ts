import type { Promotion } from '../contract/members.ts';
import { jsonOf } from './answers.ts';
import type { Endpoints } from './exchange.ts';
import { bytesOf } from './key-path.ts';
import type { RequestOptions } from './options.ts';
import { type Exchange, limitsOf } from './request.ts';

export interface MemberAddOptions extends RequestOptions {
  /** For people; a member that starts says its own. */
  readonly name?: string;
  /** `auto`: it votes as soon as it has caught up, and until then is a learner. Default `manual`. */
  readonly promote?: Promotion;
}

/** A member as the cluster's own table has it. Ids are hexadecimal. */
export interface Member {
  readonly id: string;
  /** Empty if it was not named and has not been started. */
  readonly name: string;
  readonly role: 'voter' | 'learner';
  readonly peerUrls: readonly string[];
  /** Empty until the member has been started. */
  readonly clientUrls: readonly string[];
}

export interface Membership {
  readonly clusterId: string;
  readonly members: readonly Member[];
}

/** After a change, with the member that it was about. */
export interface ChangedMembership extends Membership {
  readonly member: Member;
}

/** Who the members are: `balsa.members`. Only one change is made at a time; another one is `change_in_progress`. */
export class Members {
  readonly #endpoints: Endpoints;

  constructor(endpoints: Endpoints) {
    this.#endpoints = endpoints;
  }

  async list(options: RequestOptions = {}): Promise<Membership> {
    return jsonOf(await this.#exchange('GET', membersPath, undefined, options));
  }

  /**
   * Lets a member in, as a learner, under an id that is new. Start it then with `--initial-cluster-state existing`.
   *
   * ```ts
   * const { member } = await balsa.members.add(['http://node4:2380'], { name: 'node4', promote: 'auto' });
   * ```
   */
  async add(peerUrls: readonly string[], options: MemberAddOptions = {}): Promise<ChangedMembership> {
    const { name, promote } = options;
    return jsonOf(await this.#exchange('POST', membersPath, { name, peerUrls, promote }, options));
  }

  /** A learner votes from now on; `learner_behind` if it has not caught up. */
  async promote(id: string, options: RequestOptions = {}): Promise<ChangedMembership> {
    return jsonOf(await this.#exchange('POST', `${pathOf(id)}/promote`, undefined, options));
  }

  /** Where the other members reach it from now on. */
  async update(id: string, peerUrls: readonly string[], options: RequestOptions = {}): Promise<ChangedMembership> {
    return jsonOf(await this.#exchange('PATCH', pathOf(id), { peerUrls }, options));
  }

  /** For good: the member stops, and its id is never used again. */
  async remove(id: string, options: RequestOptions = {}): Promise<Membership> {
    return jsonOf(await this.#exchange('DELETE', pathOf(id), undefined, options));
  }

  /** Hands leadership to that member, by name or id, or to the one that has most of the log; resolves when it leads. */
  async moveLeader(to?: string, options: RequestOptions = {}): Promise<{ readonly leader: string }> {
    return jsonOf(await this.#exchange('POST', '/v1/cluster/leader', { to }, options));
  }

  #exchange(method: Exchange['method'], path: string, body: object | undefined, options: RequestOptions) {
    return this.#endpoints.exchange({
      ...limitsOf(options),
      method,
      path,
      repetition: method === 'GET' ? 'harmless' : 'unsafe',
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: bytesOf(JSON.stringify(body)),
      }),
    });
  }
}

const membersPath = '/v1/cluster/members';

function pathOf(id: string): string {
  return `${membersPath}/${encodeURIComponent(id)}`;
}
