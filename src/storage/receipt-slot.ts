import type { Receipt } from './receipt.ts';
import { SealedRecordReader, SealedRecordWriter } from './sealed-record.ts';

const formatVersion = 1;
/** One disk sector, so that a slot is written whole or not at all on nearly every disk. */
export const slotBytes = 512;
export const slotCount = 128;

/** One receipt in the file. `count` grows with every write and picks the slot. */
export interface ReceiptSlot {
  readonly count: number;
  readonly bootId: string;
  readonly receipt: Receipt;
}

export function slotOffset(count: number): number {
  return (count % slotCount) * slotBytes;
}

export function encodeSlot({ count, bootId, receipt }: ReceiptSlot): Buffer {
  return new SealedRecordWriter(formatVersion, slotBytes)
    .u64(count)
    .u64(receipt.sequence)
    .u64(receipt.term)
    .u64(receipt.lastIndex)
    .u64(receipt.lastTerm)
    .u32(receipt.chain)
    .text(receipt.clusterId)
    .text(receipt.memberId)
    .text(receipt.vote ?? '')
    .text(bootId)
    .sealPadded();
}

/** What is in 512 bytes of a receipt file. */
export type SlotContent =
  | { readonly kind: 'empty' }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'unknownVersion'; readonly version: number }
  | { readonly kind: 'intact'; readonly slot: ReceiptSlot };

export function decodeSlot(bytes: Buffer): SlotContent {
  if (bytes.every((byte) => byte === 0)) return { kind: 'empty' };
  const reader = bytes.length === slotBytes ? SealedRecordReader.open(bytes) : undefined;
  if (reader === undefined) return { kind: 'damaged' };
  if (reader.formatVersion !== formatVersion) return { kind: 'unknownVersion', version: reader.formatVersion };
  const [count, sequence, term, lastIndex, lastTerm] = [
    reader.u64(),
    reader.u64(),
    reader.u64(),
    reader.u64(),
    reader.u64(),
  ];
  const chain = reader.u32();
  const [clusterId, memberId, vote, bootId] = [reader.text(), reader.text(), reader.text() || undefined, reader.text()];
  if (!reader.isValid) return { kind: 'damaged' };
  const receipt: Receipt = { clusterId, memberId, sequence, term, vote, lastIndex, lastTerm, chain };
  return { kind: 'intact', slot: { count, bootId, receipt } };
}
