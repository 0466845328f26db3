import assert from 'node:assert/strict';
import { crc32c } from '../../../src/base/checksum.ts';
import type { Random } from '../../../src/base/random.ts';
import { JournalScanner, journalBlockBytes } from '../../../src/storage/journal-scan.ts';
import { applyVersionEdit, emptyManifest } from '../../../src/storage/leveldb-manifest.ts';
import { batch, JournalWriter } from '../../../src/storage/testing/journal-writer.ts';
import { mutate, oneIn, pick, randomBytes, randomLength } from '../engine/mutate.ts';
import type { Input, OpenTarget, Target } from '../engine/target.ts';

export const journalTarget: Target = {
  name: 'journal',
  about: "LevelDB's journals and manifests, block by block → the scanner that reads them before LevelDB does",
  weight: 1,
  where: 'here',
  open: async () => openTarget,
};

const kinds = ['batches', 'manifest', 'version-edit'] as const;

const openTarget: OpenTarget = {
  make(random) {
    const kind = pick(random, kinds);
    const valid = encode(kind, random);
    if (oneIn(random, 20)) return { kind, bytes: valid };
    const damaged = mutate(random, valid, encode(pick(random, kinds), random), 200_000);
    return { kind, bytes: kind !== 'version-edit' && oneIn(random, 2) ? reseal(damaged) : damaged };
  },

  run({ kind, bytes }: Input) {
    if (kind === 'version-edit') {
      applyVersionEdit(emptyManifest(), bytes);
      return;
    }
    const manifest = emptyManifest();
    const scanner = new JournalScanner(
      kind === 'batches'
        ? { content: 'batches' }
        : { content: 'versionEdits', onRecord: (edit) => void applyVersionEdit(manifest, edit) },
    );
    for (let at = 0; at < bytes.length; at += journalBlockBytes) {
      scanner.push(bytes.subarray(at, at + journalBlockBytes));
    }
    const scan = scanner.finish();
    assert.equal(scan.problem === undefined, scan.state === 'intact', 'a problem is what makes a file torn or damaged');
    assert.ok(scan.problem === undefined || scan.problem.offset <= bytes.length, 'a problem beyond the end');
    assert.ok(scan.records * 7 <= bytes.length, 'more records than there is room for');
    assert.ok(manifest.tables.size * 6 <= bytes.length, 'more tables than there is room for');
  },
};

function encode(kind: (typeof kinds)[number], random: Random): Buffer {
  if (kind === 'version-edit') return versionEdit(random);
  const writer = new JournalWriter();
  let sequence = 1 + random.below(1000);
  for (let records = random.below(8); records >= 0; records--) {
    const operations = random.below(5);
    const bytes = 12 + randomLength(random, oneIn(random, 10) ? 100_000 : 2000);
    writer.append(kind === 'batches' ? batch(sequence, operations, bytes) : versionEdit(random));
    sequence += operations;
  }
  return writer.bytes();
}

/** As leveldb `db/version_edit.cc` writes it. */
function versionEdit(random: Random): Buffer {
  const fields: (() => Buffer)[] = [
    () => Buffer.concat([varint(1), text(Buffer.from('leveldb.BytewiseComparator'))]),
    () => Buffer.concat([varint(pick(random, [2, 3, 4, 9])), varint(number(random))]),
    () => Buffer.concat([varint(5), varint(random.below(7)), text(randomBytes(random, random.below(20)))]),
    () => Buffer.concat([varint(6), varint(random.below(7)), varint(number(random))]),
    () =>
      Buffer.concat([
        varint(7),
        varint(random.below(7)),
        varint(number(random)),
        varint(number(random)),
        text(randomBytes(random, random.below(20))),
        text(randomBytes(random, random.below(20))),
      ]),
  ];
  return Buffer.concat(Array.from({ length: 1 + random.below(6) }, () => pick(random, fields)()));
}

function text(bytes: Buffer): Buffer {
  return Buffer.concat([varint(bytes.length), bytes]);
}

function number(random: Random): number {
  return Math.floor((random.below(2 ** 32) / 2 ** 32) * 2 ** random.below(54));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Checksums that fit, as far as the lengths lead from one record to the next. */
function reseal(bytes: Buffer): Buffer {
  for (let block = 0; block < bytes.length; block += journalBlockBytes) {
    const blockEnd = Math.min(bytes.length, block + journalBlockBytes);
    for (let at = block; at + 7 <= blockEnd; ) {
      const end = at + 7 + bytes.readUInt16LE(at + 4);
      if (end > blockEnd) break;
      const crc = crc32c(bytes, 0, at + 6, end);
      bytes.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, at);
      at = end;
    }
  }
  return bytes;
}
