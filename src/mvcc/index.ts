export { MalformedBytes, UnknownFormat } from './byte-layout.ts';
export type { Command } from './command.ts';
export { decodeCommand, deleteRangeLimits, encodeCommand, needsOwnEntry } from './command.ts';
export { openStore } from './open-store.ts';
export { DamagedValue } from './record.ts';
export type { CommandResult } from './result.ts';
export { decodeResult, encodeResult } from './result.ts';
export type { MemberRecord, PageOptions, ReadView, SortedOptions, Store, StoreOptions } from './store.ts';
export { StoreFailed } from './write-buffer.ts';
