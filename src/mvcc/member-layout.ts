import type { ByteReader, ByteWriter } from './byte-layout.ts';
import type { MemberRecord } from './member-record.ts';

type Public = Omit<MemberRecord, 'id' | 'promote'>;

/** name, peer URLs, client URLs, version. */
export function writePublicFields(writer: ByteWriter, member: Public): void {
  writer.text(member.name);
  writer.list(member.peerUrls, (url) => writer.text(url)).list(member.clientUrls, (url) => writer.text(url));
  writer.text(member.version);
}

export function readPublicFields(reader: ByteReader): Public {
  return {
    name: reader.text(),
    peerUrls: reader.list(4, () => reader.text()),
    clientUrls: reader.list(4, () => reader.text()),
    version: reader.text(),
  };
}

/** u8: how a learner becomes a voter. */
export function writePromotion(writer: ByteWriter, promote: NonNullable<MemberRecord['promote']>): void {
  writer.u8(promotions[promote]);
}

export function readPromotion(reader: ByteReader): NonNullable<MemberRecord['promote']> {
  const found = reader.u8();
  if (found === promotions.auto) return 'auto';
  if (found === promotions.manual) return 'manual';
  throw reader.malformed(`promotion ${found}`);
}

/** All of a member but its id, a voter or not. */
export function writeMemberFields(writer: ByteWriter, member: Omit<MemberRecord, 'id'>): void {
  writePublicFields(writer, member);
  writer.optional(member.promote, (promote) => writePromotion(writer, promote));
}

export function readMemberFields(reader: ByteReader): Omit<MemberRecord, 'id'> {
  const fields = readPublicFields(reader);
  const promote = reader.optional(() => readPromotion(reader));
  return promote === undefined ? fields : { ...fields, promote };
}

const promotions = { auto: 1, manual: 2 } as const;
