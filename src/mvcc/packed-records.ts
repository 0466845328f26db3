/** Room of a record before its bytes: how many there are, and for how many there is room. */
const headerBytes = 8;
/** A place in a slab has to be below it. */
const slabBytesMax = 64 * 1024;
const firstSlabBytes = 1024;

/**
 * Many records in few pieces of memory. A buffer for each would cost 100 bytes of the heap, hold on to the 8 KiB that Node
 * cut it from, and be copied twice by the collection of garbage before it comes to rest: under a load of puts the process
 * took half as much memory again.
 */
export class PackedRecords {
  readonly #slabs: Buffer[] = [];
  #used = 0;
  #bytes = 0;

  /** What they take, with those that nobody knows the places of any more. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Copies the record. Returns its place, a whole number from 0 up. */
  add(record: Buffer): number {
    const bytes = headerBytes + record.length;
    let slab = this.#slabs.at(-1);
    if (slab === undefined || slab.length - this.#used < bytes) slab = this.#addSlab(bytes, slab);
    const at = this.#used;
    slab.writeUInt32BE(record.length, at);
    slab.writeUInt32BE(record.length, at + 4);
    slab.set(record, at + headerBytes);
    this.#used = at + bytes;
    this.#bytes += bytes;
    return (this.#slabs.length - 1) * slabBytesMax + at;
  }

  /** Puts another record in the place, if it fits. Only where no view of the place was handed out. */
  replace(place: number, record: Buffer): boolean {
    const { slab, at } = this.#find(place);
    if (record.length > slab.readUInt32BE(at + 4)) return false;
    slab.writeUInt32BE(record.length, at);
    slab.set(record, at + headerBytes);
    return true;
  }

  /** A view, not a copy. */
  view(place: number): Buffer {
    const { slab, at } = this.#find(place);
    const from = at + headerBytes;
    return slab.subarray(from, from + slab.readUInt32BE(at));
  }

  copy(place: number): Buffer {
    const { slab, at } = this.#find(place);
    const from = at + headerBytes;
    const copy = Buffer.allocUnsafe(slab.readUInt32BE(at));
    slab.copy(copy, 0, from, from + copy.length);
    return copy;
  }

  #find(place: number): { readonly slab: Buffer; readonly at: number } {
    return { slab: this.#slabs[Math.floor(place / slabBytesMax)] as Buffer, at: place % slabBytesMax };
  }

  /** Slabs grow, so that a few records take little; a record that is larger than a slab has one of its own. */
  #addSlab(bytesMin: number, last: Buffer | undefined): Buffer {
    const bytes = Math.max(bytesMin, Math.min(slabBytesMax, last === undefined ? firstSlabBytes : 2 * last.length));
    const slab = Buffer.allocUnsafeSlow(bytes);
    this.#slabs.push(slab);
    this.#used = 0;
    return slab;
  }
}
