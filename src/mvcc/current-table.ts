import type { KeySpace, TableKey } from './key-space.ts';
import { type CurrentRecord, decodeRecord, encodeRecord } from './record.ts';
import type { WriteBuffer } from './write-buffer.ts';

/** The table of present values, as applying and reading single keys sees it: buffered changes first, then LevelDB. */
export class CurrentTable {
  readonly #keySpace: KeySpace;
  readonly #buffer: WriteBuffer;

  constructor(keySpace: KeySpace, buffer: WriteBuffer) {
    this.#keySpace = keySpace;
    this.#buffer = buffer;
  }

  key(key: Uint8Array): TableKey {
    return this.#keySpace.key('current', key);
  }

  /** Throws `DamagedValue`. */
  get(key: TableKey): CurrentRecord | undefined {
    const bytes = this.#buffer.get(key);
    return bytes === undefined ? undefined : decodeRecord(key.bytes, bytes);
  }

  put(key: TableKey, record: CurrentRecord): void {
    this.#buffer.set(key, encodeRecord(key.bytes, record));
  }

  delete(key: TableKey): void {
    this.#buffer.delete(key);
  }
}
