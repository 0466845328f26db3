import type { RequestListener } from 'node:http';
import type { Member } from '../../client/index.ts';
import { type ErrorCode, errorCatalogue } from '../../contract/errors.ts';

/** The members of a cluster as its REST API shows and changes them; a test says how they are. */
export class MemberServer {
  members: Member[];
  /** Of those that are not here nothing is heard. */
  readonly lags = new Map<string, number>();
  /** All changes, as `POST /v1/cluster/members`. */
  readonly changes: string[] = [];
  /** What the next changes are answered with in place of being made; `hangUp`: made, and not answered. */
  readonly failures: (ErrorCode | 'hangUp')[] = [];
  /** What happens before each look at the cluster. */
  onLook: () => void = () => undefined;

  constructor(members: readonly Member[]) {
    this.members = [...members];
  }

  readonly answer: RequestListener = async (request, response) => {
    let body = '';
    for await (const chunk of request as AsyncIterable<Buffer>) body += chunk;
    const path = (request.url ?? '').replace(/\?.*/, '');
    const json = (status: number, value: object): void => {
      const type = status < 400 ? 'application/json' : 'application/problem+json';
      response.writeHead(status, { 'content-type': type }).end(JSON.stringify(value));
    };
    const problem = (code: ErrorCode): void =>
      json(errorCatalogue[code].httpStatus, {
        code,
        detail: `It is ${code}.`,
        status: errorCatalogue[code].httpStatus,
      });
    if (request.method === 'GET') return json(200, path === '/v1/cluster' ? this.#look() : this.#list());
    this.changes.push(`${request.method} ${path}`);
    const failure = this.failures.shift();
    if (failure !== undefined && failure !== 'hangUp') return problem(failure);
    const changed = this.#change(`${request.method}`, path, body === '' ? {} : JSON.parse(body));
    if (failure === 'hangUp') return void response.destroy();
    if (typeof changed === 'string') return problem(changed);
    json(request.method === 'POST' ? 201 : 200, changed);
  };

  promote(id: string): void {
    this.members = this.members.map((member) => (member.id === id ? { ...member, role: 'voter' } : member));
  }

  #list() {
    return { clusterId: 'cdf8', members: this.members };
  }

  #look() {
    this.onLook();
    const members = this.members.map((member) => {
      const lagEntries = this.lags.get(member.id) ?? null;
      return { ...member, state: lagEntries === null ? 'unreachable' : 'follower', lagEntries };
    });
    return { clusterId: 'cdf8', leader: 'a1', raftTerm: 3, revision: 7, members };
  }

  #change(method: string, path: string, body: { name?: string; peerUrls?: string[]; to?: string }): object | ErrorCode {
    if (path === '/v1/cluster/leader') return { leader: body.to ?? 'a2' };
    if (method === 'POST' && path === '/v1/cluster/members') return this.#add(body.name ?? '', body.peerUrls ?? []);
    const [, id = ''] = /members\/([^/]+)/.exec(path) ?? [];
    if (!this.members.some((member) => member.id === id)) return 'member_not_found';
    if (method === 'DELETE') this.members = this.members.filter((member) => member.id !== id);
    if (method === 'POST') this.promote(id);
    const { peerUrls } = body;
    if (peerUrls) this.members = this.members.map((member) => (member.id === id ? { ...member, peerUrls } : member));
    return { ...this.#list(), member: this.members.find((member) => member.id === id) };
  }

  #add(name: string, peerUrls: readonly string[]): object | ErrorCode {
    if (this.members.some((member) => member.peerUrls.some((url) => peerUrls.includes(url)))) return 'member_exists';
    const id = `b${this.changes.length}`;
    const member = { id, name, role: 'learner', peerUrls, clientUrls: [] } as const;
    this.members.push(member);
    return { ...this.#list(), member };
  }
}

/** `node1` and so on, which vote, with the ids `a1` and so on. */
export function voters(count: number): Member[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `a${i + 1}`,
    name: `node${i + 1}`,
    role: 'voter',
    peerUrls: [`http://10.0.0.${i + 1}:2380`],
    clientUrls: [`http://10.0.0.${i + 1}:2379`],
  }));
}
