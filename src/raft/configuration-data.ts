import { checkConfiguration, configurationFault } from './configuration.ts';
import type { Configuration, MemberId } from './types.ts';

/** What an entry of type `configuration` carries. */
export interface ConfigurationData {
  /** The whole configuration that is in effect from the entry on, not the difference to the one before. */
  readonly configuration: Configuration;
  /** For the state machine; see `ConfigurationChange`. */
  readonly context: Uint8Array;
}

/**
 * The data of a configuration entry. Big-endian; each set is a count u8 and the ids u64, in the order given here:
 *
 *     0 format version │ 1 autoLeave │ voters │ votersOutgoing │ learners │ learnersNext │ context
 *
 * The entry's record brings the checksum.
 */
const formatVersion = 1;
const headerBytes = 2;
const idBytes = 8;
const countBytes = 1;

export function encodeConfigurationData(configuration: Configuration, context: Uint8Array): Buffer {
  checkConfiguration(configuration);
  const sets = setsOf(configuration);
  const members = sets.reduce((sum, { length }) => sum + length, 0);
  const data = Buffer.alloc(headerBytes + sets.length * countBytes + members * idBytes + context.length);
  data[0] = formatVersion;
  data[1] = configuration.autoLeave ? 1 : 0;
  let at = headerBytes;
  for (const set of sets) {
    at = data.writeUInt8(set.length, at);
    for (const member of set) at = data.writeBigUInt64BE(BigInt(`0x${member}`), at);
  }
  data.set(context, at);
  return data;
}

/** `undefined` if it is of an unknown format or holds no configuration that could be in effect. */
export function decodeConfigurationData(data: Uint8Array): ConfigurationData | undefined {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.length);
  const autoLeave = bytes[1];
  if (bytes[0] !== formatVersion || (autoLeave !== 0 && autoLeave !== 1)) return undefined;
  const sets: MemberId[][] = [];
  let at = headerBytes;
  while (sets.length < 4) {
    const from = at + countBytes;
    const count = bytes[at];
    if (count === undefined || bytes.length < from + count * idBytes) return undefined;
    sets.push(Array.from({ length: count }, (_, i) => bytes.readBigUInt64BE(from + i * idBytes).toString(16)));
    at = from + count * idBytes;
  }
  const [voters = [], votersOutgoing = [], learners = [], learnersNext = []] = sets;
  const configuration = { voters, votersOutgoing, learners, learnersNext, autoLeave: autoLeave === 1 };
  if (configurationFault(configuration) !== undefined) return undefined;
  return { configuration, context: bytes.subarray(at) };
}

function setsOf({ voters, votersOutgoing, learners, learnersNext }: Configuration): readonly (readonly MemberId[])[] {
  return [voters, votersOutgoing, learners, learnersNext];
}
