import { crc32c } from '../../../src/base/checksum.ts';
import type { Random } from '../../../src/base/random.ts';
import { decodeEntry, encodeEntry, entryRecordOverheadBytes } from '../../../src/raft/entry-record.ts';
import type { Entry } from '../../../src/raft/types.ts';
import { type Identity, parseIdentity } from '../../../src/storage/identity.ts';
import { entryKey, headerKey, parseLogKey, tailKey } from '../../../src/storage/log-keys.ts';
import {
  type ChainedEntry,
  chainAfter,
  decodeChainedEntry,
  decodeHeader,
  decodeTail,
  encodeChainedEntry,
  encodeHeader,
  encodeTail,
  type LogHeader,
  type Tail,
} from '../../../src/storage/log-records.ts';
import { decodeSlot, encodeSlot } from '../../../src/storage/receipt-slot.ts';
import { pick, randomBytes, randomLength } from '../engine/mutate.ts';
import type { Target } from '../engine/target.ts';
import { type Decoder, decoderTarget } from './decoders.ts';

export const storageRecordsTarget: Target = {
  name: 'storage-records',
  about: "records of the log, receipts, the data directory's identity → their decoders",
  weight: 1,
  where: 'here',
  open: async () => decoderTarget(decoders),
};

const decoders: readonly Decoder[] = [
  {
    kind: 'entry',
    encode: (random) => Buffer.from(encodeEntry(randomEntry(random))),
    reseal: (bytes) => resealEntry(bytes, 0),
    decode: (bytes) => decodeEntry(bytes),
    encodeAgain: (entry: Entry) => encodeEntry({ ...entry }),
  },
  {
    kind: 'chained-entry',
    encode: (random) => encodeChainedEntry({ entry: randomEntry(random), chain: random.below(2 ** 32) }),
    reseal: (bytes) => resealEntry(bytes, 4),
    decode(bytes) {
      const chained = decodeChainedEntry(bytes);
      if (chained !== undefined) chainAfter(chained.chain, chained.entry);
      return chained;
    },
    encodeAgain: (chained: ChainedEntry) => encodeChainedEntry({ ...chained, entry: { ...chained.entry } }),
  },
  {
    kind: 'tail',
    encode: (random) => encodeTail(randomTail(random)),
    reseal: resealEnd,
    decode: (bytes) => decodeTail(bytes),
    encodeAgain: (tail: Tail) => encodeTail(tail),
  },
  {
    kind: 'header',
    encode: (random) => encodeHeader(randomHeader(random)),
    reseal: resealEnd,
    decode: (bytes) => decodeHeader(bytes),
  },
  {
    kind: 'receipt-slot',
    encode: randomSlot,
    reseal: resealEnd,
    decode: (bytes) => decodeSlot(bytes),
  },
  {
    kind: 'log-key',
    encode: (random) =>
      pick(random, [headerKey(random.below(9)), tailKey(random.below(9)), entryKey(1, count(random))]),
    decode: (bytes) => parseLogKey(bytes),
  },
  {
    kind: 'identity',
    encode: (random) => Buffer.from(identityText(random)),
    decode: (bytes) => parseIdentity(bytes.toString('utf8')),
  },
];

/** A checksum over what stands before it, as in every sealed record. */
function resealEnd(bytes: Buffer): Buffer {
  const end = bytes.length - 4;
  if (end >= 1) bytes.writeUInt32BE(crc32c(bytes, 0, 0, end), end);
  return bytes;
}

/** Mostly also with the length that it has, or everything would end there. */
function resealEntry(bytes: Buffer, at: number): Buffer {
  const record = bytes.subarray(at);
  if (record.length < entryRecordOverheadBytes) return bytes;
  if (((record[0] ?? 0) + record.length) % 8 > 0) record.writeUInt32BE(record.length - entryRecordOverheadBytes, 18);
  record.writeUInt32BE(crc32c(record, crc32c(record, 0, 0, 22), entryRecordOverheadBytes), 22);
  return bytes;
}

function randomEntry(random: Random): Entry {
  const type = pick(random, ['noop', 'command', 'configuration'] as const);
  const data = randomBytes(random, randomLength(random, 300));
  return { term: 1 + count(random), index: 1 + count(random), type, data };
}

function randomTail(random: Random): Tail {
  const firstIndex = 1 + count(random);
  return {
    sequence: count(random),
    bootId: word(random),
    hardState: {
      term: count(random),
      vote: pick(random, [undefined, word(random)]),
      commit: count(random),
      ...(random.below(2) === 0 ? {} : { suspectTerm: 1 + count(random) }),
    },
    firstIndex,
    lastIndex: firstIndex - 1 + random.below(9),
    lastTerm: count(random),
    baseTerm: count(random),
    baseChain: random.below(2 ** 32),
    chain: random.below(2 ** 32),
  };
}

function randomHeader(random: Random): LogHeader {
  const words = () => Array.from({ length: random.below(4) }, () => word(random));
  const bootstrap = {
    voters: words(),
    votersOutgoing: words(),
    learners: words(),
    learnersNext: words(),
    autoLeave: random.below(2) === 0,
  };
  return { clusterId: word(random), memberId: word(random), groupId: random.below(2 ** 32), bootstrap };
}

function randomSlot(random: Random): Buffer {
  const receipt = {
    clusterId: word(random),
    memberId: word(random),
    sequence: count(random),
    term: count(random),
    vote: pick(random, [undefined, word(random)]),
    lastIndex: count(random),
    lastTerm: count(random),
    chain: random.below(2 ** 32),
  };
  return encodeSlot({ count: count(random), bootId: word(random), receipt });
}

/** As `identity.ts` writes it. */
function identityText(random: Random): string {
  const identity: Identity = { clusterId: word(random), memberId: word(random), name: `node ${word(random)}` };
  const { clusterId, memberId, name } = identity;
  const checksum = crc32c(Buffer.from(JSON.stringify([1, clusterId, memberId, name]))).toString(16);
  return JSON.stringify({ formatVersion: 1, ...identity, checksum: checksum.padStart(8, '0') }, undefined, 2);
}

function word(random: Random): string {
  return (1 + random.below(2 ** 32 - 1)).toString(16);
}

/** Of every magnitude that a safe integer has, one less than the largest. */
function count(random: Random): number {
  return Math.floor((random.below(2 ** 32) / 2 ** 32) * 2 ** random.below(53));
}
