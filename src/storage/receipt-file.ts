import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { assert } from '../base/assert.ts';
import { DamagedStorage, damageAdvice, StorageInUse, StorageRefused, unreadable } from './errors.ts';
import { isMissing, refuseLooseMode, syncDirectory } from './private-files.ts';
import type { Receipt, ReceiptStore } from './receipt.ts';
import { decodeSlot, encodeSlot, type ReceiptSlot, slotBytes, slotCount, slotOffset } from './receipt-slot.ts';

const fileBytes = slotBytes * slotCount;

/**
 * Receipts in one preallocated file of 128 slots of 512 bytes, written in turn, so that a write that is cut off takes
 * only its own slot with it. The file is made with the first receipt.
 */
export async function openReceiptFile(path: string): Promise<ReceiptStore> {
  const store = new ReceiptFile(path);
  await store.open();
  return store;
}

class ReceiptFile implements ReceiptStore {
  readonly bootId = randomBytes(8).toString('hex');
  readonly #path: string;
  #handle: FileHandle | undefined;
  #newest: ReceiptSlot | undefined;
  #writing = false;

  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<void> {
    try {
      this.#handle = await openSynced(this.#path, 0);
    } catch (reason) {
      if (isMissing(reason)) return;
      throw unreadable(this.#path, reason);
    }
    try {
      refuseLooseMode(this.#path, await this.#handle.stat());
      this.#newest = await readNewest(this.#path, this.#handle);
    } catch (reason) {
      await this.#handle.close();
      throw reason;
    }
  }

  async read(): Promise<Receipt | undefined> {
    return this.#newest?.receipt;
  }

  async write(receipt: Receipt): Promise<void> {
    assert(!this.#writing, 'two receipts are written at once');
    this.#writing = true;
    try {
      this.#handle ??= await preallocate(this.#path);
      const count = (this.#newest?.count ?? 0) + 1;
      await this.#refuseSecondWriter(this.#handle, count);
      const slot: ReceiptSlot = { count, bootId: this.bootId, receipt };
      // O_DSYNC: resolves when the slot is durable.
      const { bytesWritten } = await this.#handle.write(encodeSlot(slot), 0, slotBytes, slotOffset(count));
      if (bytesWritten !== slotBytes) throw new Error(`only ${bytesWritten} of ${slotBytes} bytes were written`);
      this.#newest = slot;
    } finally {
      this.#writing = false;
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }

  /** The slot that comes next is as old as the file is long, unless another process has written here too. */
  async #refuseSecondWriter(handle: FileHandle, count: number): Promise<void> {
    const bytes = Buffer.alloc(slotBytes);
    await handle.read(bytes, 0, slotBytes, slotOffset(count));
    const found = decodeSlot(bytes);
    if (found.kind !== 'intact' || found.slot.count < count) return;
    throw new StorageInUse({
      what: `Another process writes receipts to this file (boot ${found.slot.bootId}; this one is ${this.bootId}).`,
      where: this.#path,
      advice: 'Stop one of the two; each member needs a data directory of its own.',
    });
  }
}

function openSynced(path: string, flags: number): Promise<FileHandle> {
  return open(path, constants.O_RDWR | constants.O_DSYNC | flags, 0o600);
}

/** Filled with zeros rather than left sparse, so that writing a slot changes no metadata and stays one disk write. */
async function preallocate(path: string): Promise<FileHandle> {
  const handle = await openSynced(path, constants.O_CREAT | constants.O_EXCL);
  await handle.write(Buffer.alloc(fileBytes), 0, fileBytes, 0);
  await handle.sync();
  await syncDirectory(dirname(path));
  return handle;
}

/**
 * A damaged slot is a write that was cut off as long as another one is intact: the log is then compared with an older
 * receipt. A file of zeros, whatever its length, is one whose preallocation was cut off.
 */
async function readNewest(path: string, handle: FileHandle): Promise<ReceiptSlot | undefined> {
  const bytes = Buffer.alloc(fileBytes);
  let length = 0;
  try {
    ({ bytesRead: length } = await handle.read(bytes, 0, fileBytes, 0));
  } catch (reason) {
    throw unreadable(path, reason);
  }
  let newest: ReceiptSlot | undefined;
  let damaged = 0;
  for (let at = 0; at < length; at += slotBytes) {
    const found = decodeSlot(bytes.subarray(at, Math.min(at + slotBytes, length)));
    if (found.kind === 'unknownVersion') throw unknownVersion(path, found.version);
    if (found.kind === 'damaged') damaged++;
    if (found.kind === 'intact' && found.slot.count > (newest?.count ?? 0)) newest = found.slot;
  }
  if (newest !== undefined || damaged === 0) return newest;
  const what = `None of the ${damaged} receipts in this file is intact.`;
  throw new DamagedStorage({ what, where: path, advice: damageAdvice });
}

function unknownVersion(path: string, version: number): StorageRefused {
  return new StorageRefused({
    what: `The receipts have the format ${version}, which this version of Balsa does not know.`,
    where: path,
    advice: 'Start the version of Balsa that wrote them.',
  });
}
