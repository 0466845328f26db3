import { ByteReader, ByteWriter } from './byte-layout.ts';
import { DamagedValue } from './damaged-value.ts';
import { type KeySpace, type TableKey, withoutPrefix } from './key-space.ts';
import { checkSeal, seal, sealBytes } from './sealed.ts';
import type { WriteBuffer } from './write-buffer.ts';

/** A member as the state machine knows it: the one source of who the members are. */
export interface MemberRecord {
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** Empty until the member has published them. */
  readonly clientUrls: readonly string[];
  /** Of the software it runs; empty until published. */
  readonly version: string;
}

/** The members, by id. Few, so they are kept in memory too; the memory is filled from the table in one place, at open. */
export class MembersTable {
  readonly #keySpace: KeySpace;
  readonly #buffer: WriteBuffer;
  #members: readonly MemberRecord[];

  constructor(keySpace: KeySpace, buffer: WriteBuffer, members: readonly MemberRecord[]) {
    this.#keySpace = keySpace;
    this.#buffer = buffer;
    this.#members = members;
  }

  /** In byte order of their ids. */
  get all(): readonly MemberRecord[] {
    return this.#members;
  }

  find(id: string): MemberRecord | undefined {
    return this.#members.find((member) => member.id === id);
  }

  /** The member must be known already. */
  update(member: MemberRecord): void {
    const key = memberKey(this.#keySpace, member.id);
    this.#buffer.set(key, encodeMember(key.bytes, member));
    this.#members = this.#members.map((known) => (known.id === member.id ? member : known));
  }
}

export function memberKey(keySpace: KeySpace, id: string): TableKey {
  return keySpace.key('members', Buffer.from(id, 'utf8'));
}

/** format u8, name, peer URLs, client URLs, version, seal. The id is the key. */
export function encodeMember(key: Buffer, member: MemberRecord): Buffer {
  const writer = new ByteWriter();
  writer.u8(format).text(member.name);
  writer.list(member.peerUrls, (url) => writer.text(url)).list(member.clientUrls, (url) => writer.text(url));
  return seal(key, writer.text(member.version).u32(0).finish());
}

export function decodeMember(key: Buffer, bytes: Buffer): MemberRecord {
  checkSeal(key, bytes, { what: 'member', format, bytesMin: 1 + sealBytes });
  try {
    const reader = new ByteReader(bytes.subarray(1, bytes.length - sealBytes), 'member');
    const member = {
      id: withoutPrefix(key).toString('utf8'),
      name: reader.text(),
      peerUrls: reader.list(4, () => reader.text()),
      clientUrls: reader.list(4, () => reader.text()),
      version: reader.text(),
    };
    reader.end();
    return member;
  } catch (reason) {
    throw new DamagedValue(key, reason instanceof Error ? reason.message : String(reason));
  }
}

const format = 1;
