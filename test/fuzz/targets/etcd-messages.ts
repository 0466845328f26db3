import { decode, encode, MalformedMessage } from '../../../src/api/etcd/proto/binary.ts';
import { fromJson, MalformedJson, toJson } from '../../../src/api/etcd/proto/json.ts';
import type { MessageType } from '../../../src/api/etcd/proto/message-type.ts';
import * as auth from '../../../src/api/etcd/proto/messages/auth.ts';
import * as cluster from '../../../src/api/etcd/proto/messages/cluster.ts';
import * as kv from '../../../src/api/etcd/proto/messages/kv.ts';
import * as lease from '../../../src/api/etcd/proto/messages/lease.ts';
import * as lock from '../../../src/api/etcd/proto/messages/lock.ts';
import * as maintenance from '../../../src/api/etcd/proto/messages/maintenance.ts';
import * as watch from '../../../src/api/etcd/proto/messages/watch.ts';
import type { Random } from '../../../src/base/random.ts';
import { oneIn, pick, randomBytes } from '../engine/mutate.ts';
import type { Target } from '../engine/target.ts';
import { type Decoder, decoderTarget } from './decoders.ts';

export const etcdMessagesTarget: Target = {
  name: 'etcd-messages',
  about: "requests and answers of etcd's API, in protobuf and in JSON → their decoders",
  weight: 0.5,
  where: 'here',
  open: async () => decoderTarget(messageTypes.flatMap((type) => [binaryDecoder(type), jsonDecoder(type)])),
};

/** By the method that takes it: what a client may send. */
export const messageTypes = [
  kv.RangeRequest,
  kv.RangeResponse,
  kv.PutRequest,
  kv.DeleteRangeRequest,
  kv.TxnRequest,
  kv.TxnResponse,
  kv.CompactionRequest,
  watch.WatchRequest,
  watch.WatchResponse,
  lease.LeaseGrantRequest,
  lease.LeaseTimeToLiveResponse,
  cluster.MembersResponse,
  maintenance.AlarmRequest,
  maintenance.StatusResponse,
  lock.CampaignRequest,
  lock.ProclaimRequest,
  auth.AuthRoleGrantPermissionRequest,
] as unknown as readonly MessageType<object>[];

function binaryDecoder(type: MessageType<object>): Decoder {
  return {
    kind: `${type.name} in protobuf`,
    encode: (random) => Buffer.from(encode(type, randomMessage(random, type))),
    decode(bytes) {
      try {
        return decode(type, bytes);
      } catch (reason) {
        if (reason instanceof MalformedMessage) return undefined;
        throw reason;
      }
    },
    encodeAgain: (decoded: object) => Buffer.from(encode(type, decoded)),
  };
}

function jsonDecoder(type: MessageType<object>): Decoder {
  return {
    kind: `${type.name} in JSON`,
    encode: (random) => Buffer.from(toJson(type, randomMessage(random, type))),
    decode(bytes) {
      try {
        return fromJson(type, bytes.toString());
      } catch (reason) {
        if (reason instanceof MalformedJson) return undefined;
        throw reason;
      }
    },
    encodeAgain: (decoded: object) => Buffer.from(toJson(type, decoded)),
  };
}

/** About half of the fields are set. */
export function randomMessage(random: Random, type: MessageType<object>, depth = 0): object {
  const message: Record<string, unknown> = {};
  const set = new Set<string>();
  for (const field of type.fields) {
    if (oneIn(random, 2) || (field.oneof !== undefined && set.has(field.oneof))) continue;
    if (field.type !== undefined && depth > 4) continue;
    if (field.oneof !== undefined) set.add(field.oneof);
    const value = (): unknown => {
      if (field.type !== undefined) return randomMessage(random, field.type(), depth + 1);
      if (field.kind === 'bytes') return randomBytes(random, random.below(12));
      if (field.kind === 'string') return pick(random, ['', 'a', 'ä€\u{1f600}', '"\\\u0000']);
      if (field.kind === 'bool') return oneIn(random, 2);
      if (field.kind === 'enum') return random.below(field.values.length);
      if (field.kind === 'int64') return pick(random, [0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]);
      if (field.kind === 'uint64') return pick(random, [0n, 1n, 2n ** 53n + 1n, 2n ** 64n - 1n]);
      return random.below(2 ** 31 - 1);
    };
    message[field.name] = field.isRepeated ? Array.from({ length: random.below(4) }, value) : value();
  }
  return message;
}
