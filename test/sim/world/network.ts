import type { MemberId, Message } from '../../../src/raft/index.ts';
import { peerRequestKinds } from '../../../src/replica/peer-request-kinds.ts';
import {
  bulkSince,
  decodeFrame,
  encodeFrame,
  type Hello,
  protocolVersions,
  type Refused,
  versionOf,
} from '../../../src/transport/codec.ts';
import { frameHeaderBytes } from '../../../src/transport/frame.ts';
import { objectionTo } from '../../../src/transport/handshake.ts';
import type {
  Peer,
  PeerAnswer,
  PeerRequest,
  PeerView,
  Receiver,
  Refusal,
  Transport,
} from '../../../src/transport/index.ts';
import { KnownMembers } from '../../../src/transport/known-members.ts';
import type { Chance } from './chance.ts';
import type { SimulatedProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';

/** How a link treats what is sent over it. */
export interface Weather {
  /** Shares from 0 to 1. */
  readonly loss: number;
  readonly duplication: number;
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
}

export const fairWeather: Weather = { loss: 0, duplication: 0, delayMinMs: 0.2, delayMaxMs: 2 };

/** What the network shows to those who watch. */
export interface NetworkWatch {
  /** The moment before a message leaves its sender. */
  onSend(from: MemberId, message: Message): void;
  onDelivered(message: Message): void;
  /** That member talks to one from now on that it had not heard of. */
  onIntroduced(member: MemberId, stranger: MemberId): void;
}

/** What a process brings to its transport, as in `TransportOptions`. */
export interface StationOptions {
  readonly process: SimulatedProcess;
  readonly clusterId: string;
  readonly peers: readonly Peer[];
  readonly removed: ReadonlySet<MemberId>;
  readonly advertisedUrls: () => readonly string[];
  readonly softwareVersion: string;
  /** The highest version of the protocol that it speaks. */
  readonly protocolMax: number;
  readonly clusterVersion: () => string;
  readonly onRefused?: (refusal: Refusal) => void;
}

interface Station {
  readonly process: SimulatedProcess;
  readonly options: StationOptions;
  receiver: Receiver | undefined;
  /** Grows when all that it has on its way is lost. */
  losses: number;
  /** Whom it takes connections from. */
  readonly known: KnownMembers;
  /** Whom it dials, and where. */
  links: Map<MemberId, readonly string[]>;
  /** When it was talked to last, by its own clock. */
  readonly aliveMs: Map<MemberId, number>;
}

/** A connection that broke is noticed after about that time. */
const noticeMs = 5;
const redialMs = 500;

/**
 * The members' network: any direction of any link may be cut, lose, delay, overtake and repeat. Raft's messages have to
 * bear all of it. Requests are never repeated, and their outcome is told as the transport promises: `not_sent` only if
 * nothing arrived and nothing will.
 */
export class SimulatedNetwork {
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #watch: NetworkWatch;
  /** Messages go through the real frames. */
  readonly #usesFrames: boolean;
  readonly #stations = new Map<MemberId, Station>();
  /** How many of the cuts under way concern a direction: they may overlap. */
  readonly #cuts = new Map<string, number>();
  readonly #weather: { readonly weather: Weather; readonly to: MemberId | undefined }[] = [];
  #calm: ReadonlySet<MemberId> = new Set();

  constructor(scheduler: Scheduler, chance: Chance, watch: NetworkWatch, options: { readonly usesFrames: boolean }) {
    this.#scheduler = scheduler;
    this.#chance = chance;
    this.#watch = watch;
    this.#usesFrames = options.usesFrames;
  }

  /** The transport of a process that has just started; what was meant for the one before is not given to it. */
  connect(member: MemberId, options: StationOptions): Transport {
    const { process, peers } = options;
    const station: Station = {
      process,
      options,
      receiver: undefined,
      losses: 0,
      known: new KnownMembers({ ...options, memberId: member }),
      links: new Map(peers.map(({ id, urls }) => [id, urls])),
      aliveMs: new Map(),
    };
    this.#stations.set(member, station);
    for (const other of options.removed) {
      const refused = this.#stations.get(other);
      if (refused !== undefined) this.#redial(other, refused);
    }
    if ([...this.#stations.values()].some(({ known }) => known.removedIds.has(member))) this.#redial(member, station);
    return new StationTransport(this, member, station);
  }

  setPeers(member: MemberId, station: Station, peers: readonly Peer[], removed: ReadonlySet<MemberId>): void {
    const { known, links } = station;
    const before = known.removedIds;
    known.setMembers(peers, removed);
    for (const id of links.keys()) if (!known.peerIds.has(id)) links.delete(id);
    for (const { id, urls } of peers) links.set(id, urls);
    for (const other of removed) {
      const refused = this.#stations.get(other);
      if (refused !== undefined && other !== member && !before.has(other)) this.#redial(other, refused);
    }
  }

  /** Where that member dials the others; undefined if it is down. */
  addressesAt(member: MemberId): ReadonlyMap<MemberId, readonly string[]> | undefined {
    return this.#stations.get(member)?.links;
  }

  /** Why one does not take a connection from the other, should it be dialed by it; both are up. */
  objectionBetween(from: MemberId, to: MemberId): Refused | undefined {
    const [dialer, dialed] = [this.#stations.get(from), this.#stations.get(to)];
    return dialer && dialed && objectionTo(helloOf(from, dialer, to), dialed.known);
  }

  /** The process has ended: its connections break. What it sent last was on its way already, or not. */
  disconnect(member: MemberId): void {
    if (this.#chance.happens(0.5)) this.losePost(member);
    this.#stations.delete(member);
    for (const [other, station] of this.#stations) this.#tellUnreachable(other, station, member);
  }

  /** What that member has sent and has not arrived yet never will. */
  losePost(member: MemberId): void {
    const station = this.#stations.get(member);
    if (station !== undefined) station.losses++;
  }

  /** One direction is cut until the returned function is called. */
  cut(from: MemberId, to: MemberId): () => void {
    const link = `${from} ${to}`;
    this.#cuts.set(link, (this.#cuts.get(link) ?? 0) + 1);
    return () => this.#cuts.set(link, (this.#cuts.get(link) ?? 0) - 1);
  }

  /** The newest weather holds, on all links or on those to one member, until the returned function is called. */
  worsen(weather: Weather, to?: MemberId): () => void {
    const entry = { weather, to };
    this.#weather.push(entry);
    return () => this.#weather.splice(this.#weather.indexOf(entry), 1);
  }

  /**
   * Between these nothing is cut any more, and none of them has bad weather. What cuts them off from others stays; but a
   * leader among the others, on a path that just about keeps it in office, may take long for everything.
   */
  calm(members: Iterable<MemberId>): void {
    this.#calm = new Set(members);
  }

  send(from: MemberId, station: Station, message: Message): void {
    this.#watch.onSend(from, message);
    if (this.#stations.get(from) !== station) return;
    const weather = this.#weatherBetween(from, message.to);
    const isSpoken = versionOf(message) <= this.#protocolOf(message.to);
    const isApart = this.#isCut(from, message.to) || !this.#isOnTerms(from, message.to) || !isSpoken;
    if (isApart || this.#chance.happens(weather.loss)) {
      // A transport hears of some of what it loses, and of some not.
      if (this.#chance.happens(0.3)) this.#tellUnreachable(from, station, message.to);
      return;
    }
    const sent = this.#usesFrames ? reread(message) : message;
    const { losses } = station;
    const copies = this.#chance.happens(weather.duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.#scheduler.after(this.#delay(weather), undefined, () => {
        if (station.losses === losses) this.#deliver(sent);
      });
    }
  }

  request(from: MemberId, station: Station, to: MemberId, request: PeerRequest): Promise<PeerAnswer> {
    return new Promise((resolve) => {
      const { process } = station;
      const end = (answer: PeerAnswer): void => {
        cancelTimeout();
        this.#scheduler.after(0, process, () => resolve(answer));
      };
      const cancelTimeout = process.setTimer(request.timeoutMs, () => resolve(lost));
      const weather = this.#weatherBetween(from, to);
      if (!this.#stations.has(to) || this.#isCut(from, to) || !this.#isOnTerms(from, to)) {
        const answer: PeerAnswer = this.#chance.happens(0.7) ? { outcome: 'not_sent', reason: 'no connection' } : lost;
        this.#scheduler.after(this.#delay(weather), undefined, () => end(answer));
        return;
      }
      const isUnknown =
        this.#protocolOf(to) < (request.channel === 'bulk' ? bulkSince : firstProtocolWith(request.kind));
      if (isUnknown) {
        this.#scheduler.after(this.#delay(weather), undefined, () => end({ outcome: 'not_sent', reason: 'unknown' }));
        return;
      }
      if (this.#chance.happens(weather.loss)) {
        this.#scheduler.after(noticeMs, undefined, () => end(lost));
        return;
      }
      this.#scheduler.after(this.#delay(weather), undefined, () => this.#handOver(from, to, request, end));
    });
  }

  #protocolOf(member: MemberId): number {
    return this.#stations.get(member)?.options.protocolMax ?? protocolVersions.max;
  }

  #handOver(from: MemberId, to: MemberId, request: PeerRequest, end: (answer: PeerAnswer) => void): void {
    const station = this.#stations.get(to);
    const { process, receiver } = station ?? {};
    if (process === undefined || receiver === undefined) {
      end(lost);
      return;
    }
    whenAwake(process, () => {
      receiver.onRequest(from, request).then(
        (body) => {
          const weather = this.#weatherBetween(to, from);
          const isLost = this.#isCut(to, from) || this.#chance.happens(weather.loss);
          this.#scheduler.after(this.#delay(weather), undefined, () =>
            end(isLost ? lost : { outcome: 'answered', body }),
          );
        },
        () => this.#scheduler.after(noticeMs, undefined, () => end(lost)),
      );
    });
  }

  #deliver(message: Message): void {
    const { process, receiver } = this.#stations.get(message.to) ?? {};
    if (process === undefined || receiver === undefined) return;
    whenAwake(process, () => {
      this.#watch.onDelivered(message);
      receiver.onMessages([message]);
    });
  }

  /** A connection needs each to accept the hello of the other. When one does not, the other may hear of it. */
  #isOnTerms(from: MemberId, to: MemberId): boolean {
    const [dialer, dialed] = [this.#stations.get(from), this.#stations.get(to)];
    if (dialer === undefined || !dialer.links.has(to)) return false;
    if (dialed === undefined) return true;
    const isOpen = !this.#isCut(from, to) && !this.#isCut(to, from);
    const objection = this.#objectionTo(from, dialer, to, dialed, isOpen && !dialed.process.isPaused);
    if (objection === undefined) {
      dialed.aliveMs.set(from, dialed.process.monotonicMs());
      return true;
    }
    if (isOpen) this.#refuse(dialer, { by: to, code: objection.code, reason: objection.reason });
    return false;
  }

  #objectionTo(
    from: MemberId,
    dialer: Station,
    to: MemberId,
    dialed: Station,
    mayIntroduce: boolean,
  ): Refused | undefined {
    this.#forgetStrangers(dialed);
    const hello = helloOf(from, dialer, to);
    const objection = objectionTo(hello, dialed.known);
    if (objection === undefined) return objectionTo(helloOf(to, dialed, from), dialer.known);
    if (objection.code !== 'unknown_member' || !mayIntroduce || dialed.options.protocolMax < 2) return objection;
    const stranger = dialed.known.admit(hello, dialed.process.monotonicMs());
    if (stranger === undefined) return objection;
    dialed.links.set(stranger.id, stranger.urls);
    this.#watch.onIntroduced(to, stranger.id);
    return objectionTo(hello, dialed.known);
  }

  #forgetStrangers({ known, links, aliveMs, process }: Station): void {
    const alive = (id: MemberId): number => aliveMs.get(id) ?? Number.NEGATIVE_INFINITY;
    for (const id of known.forgetSilent(process.monotonicMs(), alive)) links.delete(id);
  }

  #refuse(station: Station, refusal: Refusal): void {
    const { process, options } = station;
    this.#scheduler.after(this.#chance.between(0, noticeMs), process, () => options.onRefused?.(refusal));
  }

  /** A member that has nothing to say dials nevertheless, and hears that it was removed. */
  #redial(member: MemberId, station: Station): void {
    if (station.process.isGone || this.#stations.get(member) !== station) return;
    for (const other of this.#stations.keys()) if (other !== member) this.#isOnTerms(member, other);
    this.#scheduler.after(redialMs, undefined, () => this.#redial(member, station));
  }

  #tellUnreachable(member: MemberId, station: Station, lost: MemberId): void {
    if (member === lost) return;
    this.#scheduler.after(this.#chance.between(0, noticeMs), station.process, () =>
      station.receiver?.onUnreachable(lost),
    );
  }

  #isCut(from: MemberId, to: MemberId): boolean {
    if (this.#calm.has(from) && this.#calm.has(to)) return false;
    return (this.#cuts.get(`${from} ${to}`) ?? 0) > 0;
  }

  #weatherBetween(from: MemberId, to: MemberId): Weather {
    if (this.#calm.has(from) || this.#calm.has(to)) return fairWeather;
    const holds = this.#weather.findLast((entry) => entry.to === undefined || entry.to === to);
    return holds?.weather ?? fairWeather;
  }

  #delay({ delayMinMs, delayMaxMs }: Weather): number {
    return this.#chance.skewed(delayMinMs, delayMaxMs);
  }
}

const lost: PeerAnswer = { outcome: 'lost', reason: 'the connection broke' };

function whenAwake(process: SimulatedProcess, run: () => void): void {
  if (process.isGone) return;
  if (process.isPaused) process.defer(run);
  else run();
}

/** As it is understood at the other end: the first version names neither software nor addresses. */
function helloOf(from: MemberId, { options }: Station, to: MemberId): Hello {
  const { clusterId, protocolMax, softwareVersion, advertisedUrls } = options;
  const known = {
    type: 'hello',
    versionMin: protocolVersions.min,
    versionMax: protocolMax,
    clusterId,
    from,
    to,
  } as const;
  const hello = { ...known, bootId: 'simulated', epoch: 1, channel: 'main' } as const;
  if (protocolMax < 2) return { ...hello, software: '0.1' };
  return { ...hello, software: softwareVersion, peerUrls: advertisedUrls() };
}

/** Nobody takes up a question that came with a later version. */
function firstProtocolWith(kind: number): number {
  const { membership, snapshotOpen, snapshotChunk, willingness } = peerRequestKinds;
  return [membership, snapshotOpen, snapshotChunk, willingness].some((later) => later === kind) ? 2 : 1;
}

/** What arrives at the other end of a real connection. */
function reread(message: Message): Message {
  const bytes = encodeFrame({ type: 'messages', groupId: 1, messages: [message] });
  const frame = decodeFrame(bytes.subarray(frameHeaderBytes), { from: message.from, to: message.to });
  if (typeof frame === 'string' || frame.type !== 'messages') throw new Error(`a frame that cannot be read: ${frame}`);
  return frame.messages[0] as Message;
}

class StationTransport implements Transport {
  readonly #network: SimulatedNetwork;
  readonly #member: MemberId;
  readonly #station: Station;

  constructor(network: SimulatedNetwork, member: MemberId, station: Station) {
    this.#network = network;
    this.#member = member;
    this.#station = station;
  }

  send(_groupId: number, messages: readonly Message[]): void {
    for (const message of messages) this.#network.send(this.#member, this.#station, message);
  }

  request(to: MemberId, request: PeerRequest): Promise<PeerAnswer> {
    return this.#network.request(this.#member, this.#station, to, request);
  }

  setPeers(peers: readonly Peer[], removed: ReadonlySet<MemberId>): void {
    this.#network.setPeers(this.#member, this.#station, peers, removed);
  }

  serve(_groupId: number, receiver: Receiver): void {
    this.#station.receiver = receiver;
  }

  peers(): readonly PeerView[] {
    return [];
  }

  async close(): Promise<void> {
    this.#station.receiver = undefined;
  }
}
