import type { Chance } from './chance.ts';

/** One operation of a batch; `undefined` deletes the key. */
export type Operation = readonly [key: string, value: Buffer | undefined];

interface WrittenBatch {
  readonly operations: readonly Operation[];
  readonly synced: boolean;
}

/** Batches that still lie in the journal, where a crash or damage can reach them; older ones are in tables. */
const journalBatchesMax = 200;

/**
 * What is on the disk of one LevelDB database: tables, and a journal of the newest batches. It forgets as LevelDB was
 * measured to: unsynced batches vanish in a crash, a short journal is taken for its end, and after one failed append
 * whatever is written later is gone at the next opening.
 */
export class Volume {
  #tables = new Map<string, Buffer>();
  #journal: WrittenBatch[] = [];
  #isAppendBroken = false;
  /** Something that the look at the files before the opening finds. */
  #visibleDamage: string | undefined;

  /** The keys and values that an opening finds. */
  content(): Map<string, Buffer> {
    const content = new Map(this.#tables);
    for (const batch of this.#journal) applyTo(content, batch);
    return content;
  }

  get visibleDamage(): string | undefined {
    return this.#visibleDamage;
  }

  get journalBatches(): number {
    return this.#journal.length;
  }

  get isEmpty(): boolean {
    return this.#tables.size === 0 && this.#journal.length === 0;
  }

  append(operations: readonly Operation[], synced: boolean): void {
    if (this.#isAppendBroken) return;
    this.#journal.push({ operations, synced });
    if (this.#journal.length <= journalBatchesMax) return;
    for (const batch of this.#journal.splice(0, journalBatchesMax / 2)) applyTo(this.#tables, batch);
  }

  /** LevelDB goes on at a wrong place after an append that failed: nothing behind it will be found again. */
  breakAppending(): void {
    this.#isAppendBroken = true;
  }

  /** The process is gone: what was not synced may be lost, each batch by itself. */
  crash(chance: Chance): void {
    this.#isAppendBroken = false;
    this.#journal = this.#journal.filter(({ synced }) => synced || chance.happens(0.4));
  }

  /** The journal ends earlier than it did; nothing shows that there was more. */
  dropTail(batches: number): void {
    this.#journal.splice(Math.max(0, this.#journal.length - batches));
  }

  /** Records in the middle of the journal cannot be read; LevelDB would skip them. */
  damageMiddle(chance: Chance): void {
    const at = chance.below(Math.max(1, this.#journal.length - 1));
    this.#journal.splice(at, 1 + chance.below(3));
    this.#visibleDamage = 'records in the middle of the journal cannot be read';
  }

  /** A bit of a stored value has flipped, in a table, where LevelDB does not look. */
  flipBit(chance: Chance): void {
    const content = this.content();
    const [key, value] = chance.pick([...content.entries()].filter((entry) => entry[1].length > 0));
    const flipped = Buffer.from(value);
    const bit = chance.below(flipped.length * 8);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    this.#tables = content.set(key, flipped);
    this.#journal = [];
  }

  /** All files are gone; a database that is made here then has a journal of its own. */
  wipe(): void {
    this.restore(new Volume());
  }

  copy(): Volume {
    const copy = new Volume();
    copy.#tables = new Map(this.#tables);
    copy.#journal = [...this.#journal];
    copy.#visibleDamage = this.#visibleDamage;
    return copy;
  }

  /** It comes back as it was when that copy was made. */
  restore(copy: Volume): void {
    this.#tables = new Map(copy.#tables);
    this.#journal = [...copy.#journal];
    this.#isAppendBroken = false;
    this.#visibleDamage = copy.#visibleDamage;
  }
}

function applyTo(content: Map<string, Buffer>, { operations }: WrittenBatch): void {
  for (const [key, value] of operations) {
    if (value === undefined) content.delete(key);
    else content.set(key, value);
  }
}
