import type { AbstractLevel } from 'abstract-level';

/** LevelDB in production, `memory-level` in the simulator; keys and values are bytes. */
export type Database = AbstractLevel<Buffer | Uint8Array | string, Buffer, Buffer>;
