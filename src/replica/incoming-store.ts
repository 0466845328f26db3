import type { Clock } from '../base/clock.ts';
import { type ImportedStore, importing, type StoreImport } from '../mvcc/index.ts';
import type { Database } from '../storage/index.ts';
import type { StateFiles } from './state-files.ts';

/** A snapshot of another member's, on its way into a database of its own, beside the one that is in use. */
export class IncomingStore {
  readonly #files: StateFiles;
  readonly #database: Database;
  readonly #import: StoreImport;
  #state: 'open' | 'complete' | 'discarded' = 'open';

  private constructor(files: StateFiles, database: Database, into: StoreImport) {
    this.#files = files;
    this.#database = database;
    this.#import = into;
  }

  static async open(files: StateFiles, groupId: number, clock: Clock): Promise<IncomingStore> {
    const database = await files.openIncoming('fresh');
    try {
      return new IncomingStore(files, database, await importing(database, groupId, clock));
    } catch (reason) {
      await database.close();
      throw reason;
    }
  }

  /** It is neither complete nor given up. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** See `StoreImport`. */
  write(chunk: Uint8Array): Promise<void> {
    return this.#import.write(chunk);
  }

  /**
   * Everything has come, and was found to be what was sent: it is durable and closed. The log may begin behind it, and
   * then `State.exchangeStore` follows.
   */
  async finish(): Promise<ImportedStore> {
    const imported = await this.#import.finish();
    await this.#database.close();
    this.#state = 'complete';
    return imported;
  }

  /** It is not wanted: what has come is removed. Not once the log begins behind it. */
  async discard(): Promise<void> {
    if (this.#state === 'discarded') return;
    await this.close();
    this.#state = 'discarded';
    await this.#files.discardIncoming();
  }

  /** The member stops; what has come is removed by the next start, unless the log begins behind it. */
  async close(): Promise<void> {
    await this.#database.close();
  }
}
