import { ByteReader, ByteWriter } from './byte-layout.ts';
import { DamagedValue } from './damaged-value.ts';
import { type KeySpace, type TableKey, withoutPrefix } from './key-space.ts';
import { readPromotion, readPublicFields, writePromotion, writePublicFields } from './member-layout.ts';
import type { MemberRecord } from './member-record.ts';
import { checkSeal, seal, sealBytes } from './sealed.ts';
import type { WriteBuffer } from './write-buffer.ts';

/** The members, by id. Few, so they are kept in memory too; the memory is filled from the table in one place, at open. */
export class MembersTable {
  readonly #keySpace: KeySpace;
  readonly #buffer: WriteBuffer;
  #members: readonly MemberRecord[];
  #removed: ReadonlySet<string>;

  constructor(
    keySpace: KeySpace,
    buffer: WriteBuffer,
    members: readonly MemberRecord[],
    removed: ReadonlySet<string> = new Set(),
  ) {
    this.#keySpace = keySpace;
    this.#buffer = buffer;
    this.#members = members;
    this.#removed = removed;
  }

  /** In byte order of their ids. */
  get all(): readonly MemberRecord[] {
    return this.#members;
  }

  /** Ids of all that were ever removed. */
  get removed(): ReadonlySet<string> {
    return this.#removed;
  }

  find(id: string): MemberRecord | undefined {
    return this.#members.find((member) => member.id === id);
  }

  /** The member must be known already. */
  update(member: MemberRecord): void {
    const key = memberKey(this.#keySpace, member.id);
    this.#buffer.set(key, encodeMember(key.bytes, member));
    this.set(member);
  }

  /** Its record is written already. */
  set(member: MemberRecord): void {
    const others = this.#members.filter(({ id }) => id !== member.id);
    this.#members = [...others, member].sort((a, b) => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
  }

  /** The records of it are written already. */
  remove(id: string): void {
    this.#members = this.#members.filter((member) => member.id !== id);
    this.#removed = new Set([...this.#removed, id]);
  }
}

export function memberKey(keySpace: KeySpace, id: string): TableKey {
  return keySpace.key('members', Buffer.from(id, 'utf8'));
}

export function removedMemberKey(keySpace: KeySpace, id: string): TableKey {
  return keySpace.key('removedMembers', Buffer.from(id, 'utf8'));
}

/** format u8, then the fields (`member-layout.ts`), seal. The id is the key. What votes keeps format 1. */
export function encodeMember(key: Buffer, member: MemberRecord): Buffer {
  const writer = new ByteWriter();
  writer.u8(member.promote === undefined ? 1 : newestFormat);
  writePublicFields(writer, member);
  if (member.promote !== undefined) writePromotion(writer, member.promote);
  return seal(key, writer.u32(0).finish());
}

export function decodeMember(key: Buffer, bytes: Buffer): MemberRecord {
  checkSeal(key, bytes, { what: 'member', format: newestFormat, bytesMin: 1 + sealBytes });
  try {
    const reader = new ByteReader(bytes.subarray(1, bytes.length - sealBytes), 'member');
    const fields = readPublicFields(reader);
    const promote = bytes[0] === newestFormat ? readPromotion(reader) : undefined;
    reader.end();
    const member = { id: withoutPrefix(key).toString('utf8'), ...fields };
    return promote === undefined ? member : { ...member, promote };
  } catch (reason) {
    throw new DamagedValue(key, reason instanceof Error ? reason.message : String(reason));
  }
}

/** format u8, seal. The id is the key. */
export function encodeRemovedMember(key: Buffer): Buffer {
  return seal(key, new ByteWriter(1 + sealBytes).u8(removedFormat).u32(0).finish());
}

export function decodeRemovedMember(key: Buffer, bytes: Buffer): string {
  checkSeal(key, bytes, { what: 'removed member', format: removedFormat, bytesMin: 1 + sealBytes });
  return withoutPrefix(key).toString('utf8');
}

const newestFormat = 2;
const removedFormat = 1;
