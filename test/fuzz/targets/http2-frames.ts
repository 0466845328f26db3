import { encode } from '../../../src/api/etcd/proto/binary.ts';
import type { MessageType } from '../../../src/api/etcd/proto/message-type.ts';
import * as kv from '../../../src/api/etcd/proto/messages/kv.ts';
import * as lease from '../../../src/api/etcd/proto/messages/lease.ts';
import * as lock from '../../../src/api/etcd/proto/messages/lock.ts';
import * as maintenance from '../../../src/api/etcd/proto/messages/maintenance.ts';
import * as watch from '../../../src/api/etcd/proto/messages/watch.ts';
import type { Random } from '../../../src/base/random.ts';
import { mutate, oneIn, pick, randomBytes } from '../engine/mutate.ts';
import { randomMessage } from './etcd-messages.ts';

const methods: readonly (readonly [string, MessageType<object>])[] = [
  ['etcdserverpb.KV/Range', kv.RangeRequest],
  ['etcdserverpb.KV/RangeStream', kv.RangeRequest],
  ['etcdserverpb.KV/Put', kv.PutRequest],
  ['etcdserverpb.KV/DeleteRange', kv.DeleteRangeRequest],
  ['etcdserverpb.KV/Txn', kv.TxnRequest],
  ['etcdserverpb.Watch/Watch', watch.WatchRequest],
  ['etcdserverpb.Lease/LeaseKeepAlive', lease.LeaseKeepAliveRequest],
  ['etcdserverpb.Lease/LeaseTimeToLive', lease.LeaseTimeToLiveRequest],
  ['etcdserverpb.Maintenance/HashKV', maintenance.HashKvRequest],
  ['v3electionpb.Election/Leader', lock.LeaderRequest],
  ['v3electionpb.Election/Observe', lock.LeaderRequest],
  ['v3lockpb.Lock/Unlock', lock.UnlockRequest],
  ['nothing.Here/There', kv.RangeRequest],
] as unknown as readonly (readonly [string, MessageType<object>])[];

export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
};
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** All that a client sends on one connection: calls with odd messages, frames that nobody expects, and damage. */
export function connection(random: Random): Buffer {
  const frames: Buffer[] = [frame(frameTypes.settings, 0, 0, Buffer.alloc(0))];
  const calls = 1 + random.below(5);
  for (let call = 0; call < calls; call++) frames.push(...callOf(random, 2 * call + 1));
  for (let extra = random.below(4); extra > 0; extra--) {
    frames.splice(random.below(frames.length + 1), 0, oddFrame(random, 2 * random.below(calls) + 1));
  }
  const valid = Buffer.concat([preface, ...frames]);
  if (oneIn(random, 3)) return valid;
  const damaged = mutate(random, valid.subarray(preface.length), frames.at(-1) ?? preface);
  return oneIn(random, 20) ? damaged : Buffer.concat([preface, damaged]);
}

/** A call of any method with a message by chance, damaged at times. */
export function callOf(random: Random, stream: number): Buffer[] {
  const [path, type] = pick(random, methods);
  const headers = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': `/${path}`,
    ':authority': pick(random, ['localhost', 'http://127.0.0.1:2379', '']),
    'content-type': pick(random, ['application/grpc', 'application/grpc', 'application/grpc+proto', 'text/plain']),
    te: 'trailers',
    ...(oneIn(random, 4) ? { 'grpc-timeout': pick(random, ['1n', '5S', '99999999H', '-1S', 'x']) } : {}),
    ...(oneIn(random, 6) ? { hasleader: 'true' } : {}),
  };
  const block = headerBlock(Object.entries(headers));
  const encoded = Buffer.from(encode(type, randomMessage(random, type)));
  const message = oneIn(random, 3) ? mutate(random, encoded, block) : encoded;
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(oneIn(random, 20) ? 0xffffffff : message.length, 1);
  prefix[0] = oneIn(random, 20) ? 1 : 0;
  const frames = [frame(frameTypes.headers, 4, stream, block)];
  const isEnded = oneIn(random, 8) ? 0 : 1;
  frames.push(frame(frameTypes.data, isEnded, stream, Buffer.concat([prefix, message])));
  if (oneIn(random, 4)) frames.push(frame(frameTypes.reset, 0, stream, Buffer.of(0, 0, 0, 8)));
  return frames;
}

function oddFrame(random: Random, stream: number): Buffer {
  const type = pick(random, [...Object.values(frameTypes), 0x20]);
  const isOfStream = type !== frameTypes.settings && type !== frameTypes.ping && type !== frameTypes.goaway;
  return frame(
    type,
    random.below(256),
    isOfStream ? stream : 0,
    randomBytes(random, pick(random, [0, 4, 5, 6, 8, 100])),
  );
}

/** Literals that no table keeps (RFC 7541, 6.2.2); names and values are shorter than 127 bytes. */
export function headerBlock(headers: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

/** As HPACK has it, without Huffman's code. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value, 'latin1')]);
}

export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
