import { Packr, RESERVE_START_SPACE, Unpackr } from 'msgpackr';
import type { MemberId, Message } from '../raft/types.ts';
import { frameHeaderBytes, sealFrame } from './frame.ts';
import { type Ends, isCount, packMessage, parseMessage } from './message-codec.ts';
import { scanMsgpack } from './scan-msgpack.ts';

/**
 * The versions of this file's layout that this build speaks. A frame's meaning never changes within a version.
 *
 * - 1: Balsa 0.1.
 * - 2: a hello names the software and the channel; a connection that is open can be ended with a refusal. There are
 *   offers of snapshots, and a rejection of entries may ask for one.
 */
export const protocolVersions = { min: 1, max: 2 } as const;

/** The one of several connections between two members; see `PeerRequest.channel`. */
export type Channel = 'main' | 'bulk';

/** The first frame in each direction. */
export interface Hello {
  readonly type: 'hello';
  readonly versionMin: number;
  readonly versionMax: number;
  readonly clusterId: string;
  readonly from: MemberId;
  readonly to: MemberId;
  /** Names one run of a process: tells a member that came back from a second one under the same id. */
  readonly bootId: string;
  /** Counts the connections that this run dialed, so that of two the newer one is known. */
  readonly epoch: number;
  /** `0.2.0`; of version 1 of the protocol nobody says so. */
  readonly software: string;
  readonly channel: Channel;
  /** Where the sender can be dialed, for a receiver that has not heard of it yet. */
  readonly peerUrls?: readonly string[];
}

/** The last frame: in place of a hello, or when a member is removed while it is connected. */
export interface Refused {
  readonly type: 'refused';
  readonly code: string;
  /** In words that an operator can act upon. */
  readonly reason: string;
}

export interface WireRequest {
  readonly id: number;
  readonly groupId: number;
  readonly kind: number;
  readonly timeoutMs: number;
  readonly body: Uint8Array;
}

/** `refused`: nobody took it up, so it had no effect. `failed`: it may have had one. */
export type WireAnswer =
  | { readonly id: number; readonly outcome: 'answered'; readonly body: Uint8Array }
  | { readonly id: number; readonly outcome: 'failed' | 'refused'; readonly reason: string };

export type Frame =
  | Hello
  | Refused
  | { readonly type: 'ping' | 'pong'; readonly timestampUs: number }
  | { readonly type: 'messages'; readonly groupId: number; readonly messages: readonly Message[] }
  | { readonly type: 'requests'; readonly requests: readonly WireRequest[] }
  | { readonly type: 'answers'; readonly answers: readonly WireAnswer[] };

/**
 * More of one kind do not go into one frame: many small ones must stay below the number of values that the receiver
 * allows (`scan-msgpack.ts`).
 */
export const frameItemsMax = 96;

/** Longer reasons are cut. */
const reasonCharactersMax = 300;

const packr = new Packr({ useRecords: false, mapsAsObjects: false });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: false });

/**
 * The version of the protocol that brought this message. It is sent to nobody who does not speak that: it would end the
 * connection, and every one after it.
 */
export function versionOf(message: Message): number {
  if (message.type === 'installSnapshot') return 2;
  if (message.type !== 'appendEntriesResponse' || message.result.accepted) return 1;
  return message.result.needsSnapshot ? 2 : 1;
}

/** The first version of the protocol with more than one channel. */
export const bulkSince = 2;

/** What two members speak after their hellos: the highest version that both know. */
export function commonVersion(hello: Hello): number {
  return Math.min(protocolVersions.max, hello.versionMax);
}

/** The bytes of a frame, header included. */
export function encodeFrame(frame: Frame): Buffer {
  return sealFrame(packr.pack(packFrame(frame), RESERVE_START_SPACE + frameHeaderBytes));
}

/**
 * What a frame's body says, every field checked, or a reason in words. Bytes in the result are views of `body`.
 * `ends` are those that the hello named; messages are not understood without them.
 */
export function decodeFrame(body: Buffer, ends: Ends | undefined): Frame | string {
  const objection = scanMsgpack(body);
  if (objection !== undefined) return objection;
  let packed: unknown;
  try {
    packed = unpackr.unpack(body);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return parseFrame(packed, ends);
}

function packFrame(frame: Frame): readonly unknown[] {
  switch (frame.type) {
    case 'hello': {
      const { versionMin, versionMax, clusterId, from, to, bootId, epoch } = frame;
      const known = [1, versionMin, versionMax, clusterId, from, to, bootId, epoch];
      if (versionMax < 2) return known;
      const urls = frame.peerUrls === undefined ? [] : [frame.peerUrls];
      return [...known, frame.software, frame.channel, ...urls];
    }
    case 'refused':
      return [2, frame.code, cut(frame.reason)];
    case 'ping':
      return [3, frame.timestampUs];
    case 'pong':
      return [4, frame.timestampUs];
    case 'messages':
      return [5, frame.groupId, frame.messages.map(packMessage)];
    case 'requests':
      return [6, frame.requests.map(({ id, groupId, kind, timeoutMs, body }) => [id, groupId, kind, timeoutMs, body])];
    case 'answers':
      return [7, frame.answers.map(packAnswer)];
  }
}

function packAnswer(answer: WireAnswer): readonly unknown[] {
  if (answer.outcome === 'answered') return [answer.id, 0, answer.body];
  return [answer.id, answer.outcome === 'failed' ? 1 : 2, cut(answer.reason)];
}

function parseFrame(packed: unknown, ends: Ends | undefined): Frame | string {
  if (!Array.isArray(packed)) return 'a frame is not an array';
  const [type, ...fields] = packed as unknown[];
  switch (type) {
    case 1:
      return parseHello(fields) ?? 'a hello with fields that do not fit';
    case 2:
      return parseRefused(fields) ?? 'a refusal with fields that do not fit';
    case 3:
    case 4: {
      const [timestampUs] = fields;
      if (fields.length !== 1 || !isCount(timestampUs)) return 'a ping or pong without a time';
      return { type: type === 3 ? 'ping' : 'pong', timestampUs };
    }
    case 5:
      return ends === undefined ? 'messages before the hello' : parseMessages(fields, ends);
    case 6:
      return parseRequests(fields);
    case 7:
      return parseAnswers(fields);
    default:
      return `there is no frame type ${String(type)}`;
  }
}

/**
 * Reads a hello of any protocol version: fields may follow the ones known here, so that members without a common
 * version can tell each other so.
 */
function parseHello(fields: readonly unknown[]): Hello | undefined {
  const [versionMin, versionMax, clusterId, from, to, bootId, epoch, ...later] = fields;
  if (!isCount(versionMin) || !isCount(versionMax) || versionMin > versionMax || !isCount(epoch)) return undefined;
  if (!isName(clusterId) || !isMemberId(from) || !isMemberId(to) || !isName(bootId)) return undefined;
  const [software, channel] = versionMax < 2 ? ['0.1', 'main'] : later;
  if (!isName(software) || (channel !== 'main' && channel !== 'bulk')) return undefined;
  const hello = { versionMin, versionMax, clusterId, from, to, bootId, epoch, software, channel } as const;
  const [, , peerUrls] = later;
  return isUrls(peerUrls) ? { type: 'hello', ...hello, peerUrls } : { type: 'hello', ...hello };
}

const helloUrlsMax = 4;
const urlCharactersMax = 256;

/** Whatever else stands there is a later version's. */
function isUrls(value: unknown): value is readonly string[] {
  const isUrl = (url: unknown): boolean => typeof url === 'string' && url.length <= urlCharactersMax;
  return Array.isArray(value) && value.length <= helloUrlsMax && value.every(isUrl);
}

function parseRefused(fields: readonly unknown[]): Refused | undefined {
  const [code, reason] = fields;
  if (!isName(code) || typeof reason !== 'string') return undefined;
  return { type: 'refused', code, reason: printable(cut(reason)) };
}

function parseMessages(fields: readonly unknown[], ends: Ends): Frame | string {
  const [groupId, packed] = fields;
  if (fields.length !== 2 || !isCount(groupId) || !Array.isArray(packed)) return 'messages with fields that do not fit';
  const messages: Message[] = [];
  for (const one of packed) {
    const message = parseMessage(one, ends);
    if (typeof message === 'string') return message;
    messages.push(message);
  }
  return { type: 'messages', groupId, messages };
}

function parseRequests(fields: readonly unknown[]): Frame | string {
  const [packed] = fields;
  if (fields.length !== 1 || !Array.isArray(packed)) return 'requests with fields that do not fit';
  const requests: WireRequest[] = [];
  for (const one of packed) {
    const request = parseRequest(one);
    if (request === undefined) return 'a request with fields that do not fit';
    requests.push(request);
  }
  return { type: 'requests', requests };
}

function parseRequest(packed: unknown): WireRequest | undefined {
  if (!Array.isArray(packed) || packed.length !== 5) return undefined;
  const [id, groupId, kind, timeoutMs, body] = packed as unknown[];
  if (!isCount(id) || !isCount(groupId) || !isCount(kind) || !isCount(timeoutMs)) return undefined;
  return body instanceof Uint8Array ? { id, groupId, kind, timeoutMs, body } : undefined;
}

function parseAnswers(fields: readonly unknown[]): Frame | string {
  const [packed] = fields;
  if (fields.length !== 1 || !Array.isArray(packed)) return 'answers with fields that do not fit';
  const answers: WireAnswer[] = [];
  for (const one of packed) {
    const answer = parseAnswer(one);
    if (answer === undefined) return 'an answer with fields that do not fit';
    answers.push(answer);
  }
  return { type: 'answers', answers };
}

function parseAnswer(packed: unknown): WireAnswer | undefined {
  if (!Array.isArray(packed) || packed.length !== 3) return undefined;
  const [id, outcome, content] = packed as unknown[];
  if (!isCount(id)) return undefined;
  if (outcome === 0) return content instanceof Uint8Array ? { id, outcome: 'answered', body: content } : undefined;
  if ((outcome !== 1 && outcome !== 2) || typeof content !== 'string') return undefined;
  return { id, outcome: outcome === 1 ? 'failed' : 'refused', reason: printable(cut(content)) };
}

function isMemberId(value: unknown): value is MemberId {
  return typeof value === 'string' && /^[1-9a-f][0-9a-f]{0,15}$/.test(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,64}$/.test(value);
}

function cut(text: string): string {
  return text.slice(0, reasonCharactersMax);
}

/** A peer's words end up in a terminal: no control characters. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?');
}
