import { MemoryLevel } from 'memory-level';
import type { Database, ReceiptStore } from '../../storage/index.ts';
import { memoryReceipts } from '../../storage/testing/memory-receipts.ts';
import type { StateFiles } from '../state-files.ts';

type Place = 'log' | 'data' | 'incoming';

/** What a member keeps, in memory: it outlives the member's process. */
export class MemoryFiles implements StateFiles {
  readonly #databases = new Map<Place, MemoryLevel<Buffer, Buffer>>();
  #receipts = memoryReceipts();

  openDatabase(kind: 'log' | 'data'): Promise<Database> {
    return this.#open(kind);
  }

  async openReceipts(): Promise<ReceiptStore> {
    return this.#receipts.open();
  }

  async setAside(what: 'log' | 'data' | 'receipt'): Promise<string> {
    if (what === 'receipt') this.#receipts = memoryReceipts();
    else this.#databases.delete(what);
    return `${what}.damaged-1`;
  }

  openIncoming(how: 'fresh' | 'found'): Promise<Database> {
    if (how === 'fresh') this.#databases.delete('incoming');
    return this.#open('incoming');
  }

  async discardIncoming(): Promise<void> {
    this.#databases.delete('incoming');
  }

  async switchData(): Promise<void> {
    const incoming = await this.#open('incoming');
    // Another object, as another opening of a directory is: whoever still closes the old one does no harm.
    const data = new MemoryLevel<Buffer, Buffer>(bytes);
    for await (const [key, value] of incoming.iterator()) await data.put(key, value);
    this.#databases.set('data', data);
    this.#databases.delete('incoming');
  }

  async #open(place: Place): Promise<MemoryLevel<Buffer, Buffer>> {
    const database = this.#databases.get(place) ?? new MemoryLevel<Buffer, Buffer>(bytes);
    this.#databases.set(place, database);
    await database.open();
    return database;
  }
}

const bytes = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
