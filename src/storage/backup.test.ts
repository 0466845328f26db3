import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { type BackupManifest, backupChunkBytes, encodeManifest } from './backup-format.ts';
import { BackupDamaged, readBackup } from './read-backup.ts';
import { bootstrap } from './testing/test-entries.ts';
import { writeBackup } from './write-backup.ts';

const manifest: BackupManifest = {
  clusterId: 'cafe',
  groupId: 1,
  appliedIndex: 7,
  term: 3,
  revision: 5,
  compactRevision: 0,
  keyCount: 2,
  stateHash: 99,
  bytesExpected: 100,
  configuration: bootstrap,
  members: [{ id: 'a1', name: 'né' }],
  createdBy: '0.1.0',
};

test('backup: what is written comes back, in pieces of any size', async () => {
  const data = random(2.5 * backupChunkBytes);
  const file = Buffer.concat(await framesOf(data));
  for (const pieceBytes of [999, 65_536, file.length]) {
    const read = await readAll(piecesOf(file, pieceBytes));
    assert.deepEqual(read.manifest, manifest);
    assert(read.data.equals(data), `pieces of ${pieceBytes}`);
  }
  const empty = await readAll(await framesOf(Buffer.alloc(0)));
  assert.equal(empty.data.length, 0);
  const small = Buffer.concat(await framesOf(Buffer.from('few')));
  assert((await readAll(piecesOf(small, 1))).data.equals(Buffer.from('few')));
});

test('backup: a frame holds at most a mebibyte of data and is made when it is asked for', async () => {
  let read = 0;
  const source = {
    next: async (bytesMax: number): Promise<Buffer | undefined> => (read++ < 3 ? Buffer.alloc(bytesMax) : undefined),
  };
  const frames = writeBackup(source, manifest);
  for (let asked = 0; asked < 5; asked++) {
    const { value } = await frames.next();
    assert(value !== undefined && value.length <= backupChunkBytes + 100);
    assert.equal(read, asked, 'nothing is read ahead');
  }
});

test('backup: the format does not move', async () => {
  const [head, chunk, trailer] = await framesOf(Buffer.from('data'));
  const json = encodeManifest(manifest);
  assert.equal(
    head?.subarray(0, -32).toString('hex'),
    `${Buffer.from('BALSABAK').toString('hex')}01010000${json.length.toString(16).padStart(4, '0')}${json.toString('hex')}`,
  );
  assert.equal(
    chunk?.toString('hex'),
    '020000000464617461f064cd1a26cfec888f194984c94e345eb7ce25e1af3d75204fecc06b7d480d49',
  );
  assert.equal(
    trailer?.toString('hex'),
    `030000006e00000000000000010000000000000004${'00'.repeat(94)}` +
      'fe38b4fa891fb6bd89b9e7e6935f218a590a8173414b716c68663ad52ff4d724',
  );
});

test('backup: its length says to etcdctl that it ends with a checksum', async () => {
  for (const bytes of [0, 1, 300, 511, 512, 2 * backupChunkBytes + 7]) {
    const file = Buffer.concat(await framesOf(random(bytes)));
    assert.equal(file.length % 512, 32, `${bytes} bytes`);
  }
});

test('backup: cut off at any byte it is refused', async () => {
  const file = Buffer.concat(await framesOf(random(300)));
  for (let length = 0; length < file.length; length++) {
    await assert.rejects(readAll([file.subarray(0, length)]), refusedAt(length), `${length} bytes`);
  }
});

test('backup: any flipped bit is refused, in the frame where it is', async () => {
  const frames = [...(await framesOf(random(200)))];
  const file = Buffer.concat(frames);
  for (let bit = 0; bit < file.length * 8; bit++) {
    const flipped = Buffer.from(file);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    await assert.rejects(readAll([flipped]), refusedAt((bit >> 3) + 1, file.length), `bit ${bit}`);
  }
});

test('backup: of many chunks, cut or flipped in every one of them, and at random places, it is refused', async () => {
  const frames = await framesOf(random(3 * backupChunkBytes + 5));
  const seed = 17;
  const { below } = seededRandom(seed);
  const isRefused = async (what: string, pieces: readonly Buffer[]): Promise<void> => {
    await assert.rejects(readAll(pieces), { name: 'BackupDamaged' }, `seed ${seed}: ${what}`);
  };
  for (const [i, frame] of frames.entries()) {
    const [before, after] = [frames.slice(0, i), frames.slice(i + 1)];
    const at = below(frame.length);
    const flipped = Buffer.from(frame);
    flipped[at] = (flipped[at] ?? 0) ^ (1 + below(255));
    await isRefused(`frame ${i}, byte ${at}`, [...before, flipped, ...after]);
    await isRefused(`frame ${i} cut at ${at}`, [...before, frame.subarray(0, at)]);
    await isRefused(`frame ${i} missing`, [...before, ...after]);
    await isRefused(`frame ${i} twice`, [...before, frame, frame, ...after]);
    await isRefused(`cut before frame ${i}`, before);
    const [next, ...rest] = after;
    if (next !== undefined) await isRefused(`frames ${i} and ${i + 1} swapped`, [...before, next, frame, ...rest]);
  }
  await isRefused('something behind the end', [...frames, Buffer.of(0)]);
});

test('backup: the data of another backup does not fit', async () => {
  const [mine, other] = [await framesOf(random(100)), await framesOf(random(100), { ...manifest, revision: 6 })];
  for (let i = 1; i < mine.length; i++) {
    await assert.rejects(readAll([...mine.slice(0, i), ...other.slice(i)]), { name: 'BackupDamaged' });
  }
});

test('backup: something else, and one of later software, are refused by name', async () => {
  await assert.rejects(readAll([Buffer.from('#!/bin/sh\necho this is no backup')]), /does not begin as one/);
  const file = Buffer.concat(await framesOf(random(10)));
  file[8] = 2;
  await assert.rejects(readAll([file]), /format 2.*reads 1/);
  // However long it says that a frame is, no more is read than a frame can have.
  file[8] = 1;
  file.writeUInt32BE(0xffffffff, 10);
  await assert.rejects(readAll([file]), /no frame of kind 1 and 4294967295 bytes/);
});

test('backup: the source is closed by whoever stops reading, or when it is refused', async () => {
  const frames = await framesOf(random(2 * backupChunkBytes));
  const source = new CountingSource(frames);
  const { chunks } = await readBackup(source);
  await chunks.next();
  await chunks.return();
  assert.equal(source.returned, 1);
  const wrong = new CountingSource([Buffer.alloc(100)]);
  await assert.rejects(readBackup(wrong), BackupDamaged);
  assert.equal(wrong.returned, 1);
});

class CountingSource {
  returned = 0;
  readonly #frames: readonly Buffer[];

  constructor(frames: readonly Buffer[]) {
    this.#frames = frames;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    try {
      yield* this.#frames;
    } finally {
      this.returned++;
    }
  }
}

async function framesOf(data: Buffer, of: BackupManifest = manifest): Promise<readonly Buffer[]> {
  let at = 0;
  const next = async (bytesMax: number): Promise<Buffer | undefined> => {
    const chunk = data.subarray(at, at + bytesMax);
    at += chunk.length;
    return chunk.length === 0 ? undefined : chunk;
  };
  const frames: Buffer[] = [];
  for await (const frame of writeBackup({ next }, of)) frames.push(frame);
  return frames;
}

async function readAll(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<{ readonly manifest: BackupManifest; readonly data: Buffer }> {
  const reader = await readBackup(source);
  const chunks: Buffer[] = [];
  for await (const chunk of reader.chunks) chunks.push(chunk);
  return { manifest: reader.manifest, data: Buffer.concat(chunks) };
}

/** It names a place that is not behind the one that is wrong, unless a frame that says it is longer runs over the end. */
function refusedAt(end: number, fileEnd = end): (reason: unknown) => boolean {
  return (reason) =>
    reason instanceof BackupDamaged &&
    reason.at <= (reason.message.includes('cut off') ? fileEnd : end) &&
    reason.message.includes(`byte ${reason.at}`);
}

function piecesOf(file: Buffer, bytes: number): readonly Buffer[] {
  return Array.from({ length: Math.ceil(file.length / bytes) }, (_, i) => file.subarray(i * bytes, (i + 1) * bytes));
}

function random(length: number): Buffer {
  const { below } = seededRandom(3);
  const data = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) data.writeUInt32LE(below(2 ** 32), at);
  return data;
}
