import type { AbstractLevel } from 'abstract-level';

/** LevelDB in production, `memory-level` in the simulator; opened with keys and values as buffers. */
export type Database = AbstractLevel<Buffer | Uint8Array | string, Buffer, Buffer>;
