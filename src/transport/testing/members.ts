import type { Clock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import type { MemberId, Message } from '../../raft/types.ts';
import {
  openTransport,
  type PeerAnswer,
  type PeerRequest,
  type PeerTransport,
  type TransportOptions,
} from '../index.ts';
import { until } from './until.ts';
import { Wire } from './wire.ts';

/** One member: a real transport on a real port, and a memory of everything it was told. */
export class Member {
  readonly id: MemberId;
  readonly transport: PeerTransport;
  readonly messages: Message[] = [];
  readonly requests: PeerRequest[] = [];
  readonly unreachable: MemberId[] = [];
  readonly reachable: MemberId[] = [];
  readonly log: LogLine[];
  /** Answers requests; a test may put another one here. */
  answer: (from: MemberId, request: PeerRequest) => Promise<Uint8Array> = async (_from, { body }) => body;

  constructor(id: MemberId, transport: PeerTransport, log: LogLine[]) {
    this.id = id;
    this.transport = transport;
    this.log = log;
    transport.serve(0, {
      onMessages: (messages) => this.messages.push(...messages),
      onRequest: (from, request) => {
        this.requests.push(request);
        return this.answer(from, request);
      },
      onUnreachable: (member) => this.unreachable.push(member),
      onReachable: (member) => this.reachable.push(member),
    });
  }

  send(...messages: Message[]): void {
    this.transport.send(0, messages);
  }

  request(to: MemberId, body: Uint8Array | string = '', timeoutMs = 5000): Promise<PeerAnswer> {
    return this.transport.request(to, { groupId: 0, kind: 1, body: Buffer.from(body), timeoutMs });
  }

  peer(id: MemberId) {
    const view = this.transport.peers().find((peer) => peer.id === id);
    if (view === undefined) throw new Error(`member ${this.id} has no peer ${id}`);
    return view;
  }

  isConnectedTo(id: MemberId): boolean {
    return this.peer(id).state === 'connected';
  }

  events(event: string): readonly LogLine[] {
    return this.log.filter((line) => line.event === event);
  }
}

export interface LogLine {
  readonly event: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Members in one process, joined by wires that tests can cut. */
export class Members implements AsyncDisposable {
  readonly #wires = new Map<string, Wire>();
  readonly #members = new Map<MemberId, Member>();
  readonly #ids: readonly MemberId[];
  readonly #clock: Clock;
  readonly #options: Partial<TransportOptions>;
  #started = 0;

  private constructor(ids: readonly MemberId[], clock: Clock, options: Partial<TransportOptions>) {
    this.#ids = ids;
    this.#clock = clock;
    this.#options = options;
  }

  /** Started, and every one of them connected to every other. */
  static async start(
    ids: readonly MemberId[],
    clock: Clock,
    options: Partial<TransportOptions> = {},
  ): Promise<Members> {
    const members = await Members.stopped(ids, clock, options);
    for (const id of ids) await members.startMember(id);
    await members.allConnected();
    return members;
  }

  /** Only the wires. */
  static async stopped(
    ids: readonly MemberId[],
    clock: Clock,
    options: Partial<TransportOptions> = {},
  ): Promise<Members> {
    const members = new Members(ids, clock, options);
    for (const from of ids) {
      for (const to of ids) if (from !== to) members.#wires.set(`${from} ${to}`, await Wire.open());
    }
    return members;
  }

  get(id: MemberId): Member {
    const member = this.#members.get(id);
    if (member === undefined) throw new Error(`member ${id} is not running`);
    return member;
  }

  /** The wire that `from` dials `to` over. */
  wire(from: MemberId, to: MemberId): Wire {
    const wire = this.#wires.get(`${from} ${to}`);
    if (wire === undefined) throw new Error(`no wire from ${from} to ${to}`);
    return wire;
  }

  /** The wires from the others lead to it from here on. */
  async startMember(id: MemberId, options: Partial<TransportOptions> = {}): Promise<Member> {
    const peers = this.#ids.filter((peer) => peer !== id);
    const log: LogLine[] = [];
    this.#started++;
    const transport = await openTransport({
      ...defaultOptions(id, this.#clock, this.#started),
      peers: peers.map((peer) => ({ id: peer, urls: [this.wire(id, peer).url] })),
      log: recorder(log),
      ...this.#options,
      ...options,
    });
    const member = new Member(id, transport, log);
    this.#members.set(id, member);
    const [url] = transport.addresses();
    for (const peer of peers) this.wire(peer, id).leadTo(url ?? '');
    return member;
  }

  async stopMember(id: MemberId): Promise<void> {
    await this.get(id).transport.close();
    this.#members.delete(id);
  }

  async allConnected(): Promise<void> {
    const running = [...this.#members.values()];
    await until('all members are connected', () =>
      running.every((a) => running.every((b) => a === b || (a.isConnectedTo(b.id) && a.reachable.includes(b.id)))),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#members.values()].map((member) => member.transport.close()));
    await Promise.all([...this.#wires.values()].map((wire) => wire.close()));
  }
}

export function recorder(log: LogLine[]) {
  const record = (event: string, facts: Record<string, unknown>) => void log.push({ event, facts });
  return { info: record, warn: record };
}

export function defaultOptions(memberId: MemberId, clock: Clock, seed: number): TransportOptions {
  return {
    clusterId: 'c1',
    memberId,
    listenUrls: ['http://127.0.0.1:0'],
    peers: [],
    heartbeatMs: 100,
    queueBytesMax: 4 * 1024 * 1024,
    frameBytesMax: 4 * 1024 * 1024,
    clock,
    random: seededRandom(seed),
    log: { info: () => {}, warn: () => {} },
    removed: new Set(),
    softwareVersion: '0.2.0',
    clusterVersion: () => '0.2',
  };
}
