import { MemoryLevel } from 'memory-level';
import { crc32c } from '../../../src/base/checksum.ts';
import type { Random } from '../../../src/base/random.ts';
import { BalsaError } from '../../../src/contract/errors.ts';
import { MalformedBytes, UnknownFormat } from '../../../src/mvcc/byte-layout.ts';
import { type Command, decodeCommands, encodeCommand } from '../../../src/mvcc/command.ts';
import { KeySpace } from '../../../src/mvcc/key-space.ts';
import type { MemberRecord } from '../../../src/mvcc/member-record.ts';
import { decodeMember, encodeMember, memberKey } from '../../../src/mvcc/members-table.ts';
import { type CurrentRecord, DamagedValue, decodeRecord, encodeRecord } from '../../../src/mvcc/record.ts';
import { type CommandResult, decodeResult, encodeResult } from '../../../src/mvcc/result.ts';
import { decodeState, emptyState, encodeState, type StoreState, stateKey } from '../../../src/mvcc/store-state.ts';
import { randomCommand, randomEntry, randomKey } from '../../../src/mvcc/testing/random-commands.ts';
import { openTestStore, type TestStore } from '../../../src/mvcc/testing/test-store.ts';
import {
  decodeWriteAnswer,
  decodeWriteRequest,
  encodeWriteAnswer,
  encodeWriteRequest,
  type WriteAnswer,
} from '../../../src/replica/forwarded-write.ts';
import { decodeProgress, encodeProgress, type LeaderProgress } from '../../../src/replica/progress.ts';
import { RandomHistory } from '../../model/random-history.ts';
import { commandOf } from '../../model/real-store.ts';
import { oneIn, pick, randomBytes, randomLength } from '../engine/mutate.ts';
import type { Input, OpenTarget, Target } from '../engine/target.ts';
import { type Decoder, decoderTarget } from './decoders.ts';

export const storeRecordsTarget: Target = {
  name: 'store-records',
  about: "the store's records, commands (then applied), results, forwarded writes, progress → their decoders",
  weight: 1,
  where: 'here',
  open,
};

async function open(): Promise<OpenTarget> {
  const records = decoderTarget(decoders);
  let applied = 0;
  let test: TestStore | undefined;
  return {
    make: (random) => records.make(random),
    run(input) {
      records.run(input);
      return input.kind === 'commands' ? apply(input) : undefined;
    },
    close: async () => test?.store.close(),
  };

  /** Whatever the decoder lets through has to be applied: every member would stop at the same entry. */
  function apply({ bytes }: Input): Promise<void> | undefined {
    if (expected(() => decodeCommands(bytes)) === undefined) return undefined;
    if (test === undefined || applied++ % 5000 === 0) return startAnew(bytes);
    return settled(test, bytes);
  }

  async function startAnew(bytes: Buffer): Promise<void> {
    await test?.store.close();
    test = await openTestStore(new MemoryLevel({ keyEncoding: 'buffer', valueEncoding: 'buffer' }));
    await settled(test, bytes);
  }

  function settled({ store }: TestStore, bytes: Buffer): Promise<void> | undefined {
    const results = store.apply(store.appliedIndex + 1, bytes, { term: 1 });
    if (!(results instanceof Promise)) {
      for (const result of results) encodeResult(result);
      return undefined;
    }
    return results.then((late) => {
      for (const result of late) encodeResult(result);
    });
  }
}

const keySpace = new KeySpace(1);
const valueKey = keySpace.key('current', Buffer.from('a')).bytes;
const storeKey = stateKey(keySpace).bytes;
const ownerKey = memberKey(keySpace, 'a1').bytes;

const decoders: readonly Decoder[] = [
  {
    kind: 'commands',
    encode: (random) =>
      oneIn(random, 2)
        ? encodeCommand(clientCommand(random))
        : Buffer.concat(randomEntry(random, 1 + random.below(100)).map((one) => encodeCommand(longer(random, one)))),
    decode: (bytes) => expected(() => decodeCommands(bytes)),
    encodeAgain: (commands: readonly Command[]) => Buffer.concat(commands.map((one) => encodeCommand(one))),
  },
  {
    kind: 'record',
    encode: (random) => encodeRecord(valueKey, randomRecord(random)),
    reseal: (bytes) => resealUnder(valueKey, bytes),
    decode: (bytes) => expected(() => decodeRecord(valueKey, bytes)),
    encodeAgain: (record: CurrentRecord) => encodeRecord(valueKey, record),
  },
  {
    kind: 'state',
    encode: (random) =>
      encodeState(storeKey, {
        ...emptyState,
        appliedIndex: count(random),
        revision: 1 + count(random),
        keyCount: count(random),
        hash: count(random),
      }),
    reseal: (bytes) => resealUnder(storeKey, bytes),
    decode: (bytes) => expected(() => decodeState(storeKey, bytes)),
    encodeAgain: (state: StoreState) => encodeState(storeKey, state),
  },
  {
    kind: 'member',
    encode: (random) => encodeMember(ownerKey, randomMember(random)),
    reseal: (bytes) => resealUnder(ownerKey, bytes),
    decode: (bytes) => expected(() => decodeMember(ownerKey, bytes)),
    encodeAgain: (member: MemberRecord) => encodeMember(ownerKey, member),
  },
  {
    kind: 'result',
    encode: (random) => encodeResult(randomResult(random)),
    decode: (bytes) => expected(() => decodeResult(bytes)),
    encodeAgain: (result: CommandResult) => encodeResult(result),
  },
  {
    kind: 'write-request',
    encode: (random) => encodeWriteRequest(encodeCommand(randomCommand(random, 9)), random.below(2 ** 32)),
    decode: (bytes) => decodeWriteRequest(bytes),
    encodeAgain: ({ command, timeoutMs }: { command: Uint8Array; timeoutMs: number }) =>
      encodeWriteRequest(command, timeoutMs),
  },
  {
    kind: 'write-answer',
    encode: (random) => encodeWriteAnswer(randomAnswer(random)),
    decode: (bytes) => decodeWriteAnswer(bytes),
  },
  {
    kind: 'progress',
    encode: (random) => encodeProgress(randomProgress(random)),
    decode: (bytes) => decodeProgress(bytes),
    encodeAgain: (progress: LeaderProgress) => encodeProgress(progress),
  },
];

/** The errors that the decoders document. */
function expected<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (reason) {
    if (
      reason instanceof MalformedBytes ||
      reason instanceof UnknownFormat ||
      reason instanceof DamagedValue ||
      reason instanceof BalsaError
    ) {
      return undefined;
    }
    throw reason;
  }
}

/** Of every kind that clients can ask for: transactions, leases, compaction. */
function clientCommand(random: Random): Command {
  const surroundings = { revision: 1 + random.below(100), compactRevision: 0 };
  for (;;) {
    const step = new RandomHistory(random).next(surroundings);
    const command = step.kind === 'write' ? expected(() => commandOf(step.write)) : undefined;
    if (command === undefined) continue;
    return oneIn(random, 4) ? { kind: 'once', token: `token ${random.below(9)}`, command } : command;
  }
}

/** With keys of any length now and then: what is encoded grows in steps. */
function longer(random: Random, command: Command): Command {
  if (!oneIn(random, 4)) return command;
  const key = randomBytes(random, randomLength(random, 3000));
  switch (command.kind) {
    case 'deleteRange':
      return { ...command, range: { ...command.range, start: key } };
    case 'publish':
      return { ...command, name: key.toString('hex') };
    case 'put':
    case 'delete':
      return { ...command, key };
    default:
      return command;
  }
}

function resealUnder(key: Buffer, bytes: Buffer): Buffer {
  const end = bytes.length - 4;
  if (end >= 1) bytes.writeUInt32BE(crc32c(bytes, crc32c(key), 0, end), end);
  return bytes;
}

function randomRecord(random: Random): CurrentRecord {
  const createRevision = 1 + random.below(1000);
  return {
    createRevision,
    modRevision: createRevision + count(random) / 2,
    version: 1 + random.below(2 ** 32 - 1),
    value: randomBytes(random, random.below(60)),
  };
}

function randomMember(random: Random): MemberRecord {
  const urls = () => Array.from({ length: random.below(4) }, () => `http://é${random.below(9)}:2380`);
  return { id: 'a1', name: 'node ü', peerUrls: urls(), clientUrls: urls(), version: '1.2.3' };
}

function randomResult(random: Random): CommandResult {
  const revision = count(random);
  const previous = oneIn(random, 2)
    ? undefined
    : { key: randomKey(random), value: randomBytes(random, 9), createRevision: 1, modRevision: 2, version: 3 };
  return pick<CommandResult>(random, [
    { kind: 'put', revision, created: oneIn(random, 2), createRevision: count(random), version: 1, previous },
    { kind: 'delete', revision, deleted: count(random), previous },
    { kind: 'conditionFailed', revision, modRevision: pick(random, [undefined, 1 + count(random)]) },
    { kind: 'refused', revision, refusal: 'range_too_large', figures: [count(random), count(random)] },
    { kind: 'leaseGranted', revision, id: BigInt(count(random)), ttl: count(random) },
    {
      kind: 'txn',
      revision,
      succeeded: true,
      results: [{ kind: 'delete', deleted: 1, previous: previous ? [previous] : [] }],
    },
    { kind: 'done', revision },
  ]);
}

function randomAnswer(random: Random): WriteAnswer {
  return pick<WriteAnswer>(random, [
    { outcome: 'not_executed' },
    { outcome: 'done', term: count(random), result: randomResult(random) },
    { outcome: 'failed', error: new BalsaError('outcome_unknown', 'because of a test') },
  ]);
}

function randomProgress(random: Random): LeaderProgress | undefined {
  if (oneIn(random, 5)) return undefined;
  const ids = Array.from({ length: random.below(5) }, (_, i) => `${i}a`);
  const members = ids.map(
    (id) => [id, { matchIndex: count(random), lastContactMs: pick(random, [null, random.below(9)]) }] as const,
  );
  return { lastIndex: count(random), members: new Map(members) };
}

function count(random: Random): number {
  return 2 * Math.floor((random.below(2 ** 32) / 2 ** 32) * 2 ** random.below(51));
}
