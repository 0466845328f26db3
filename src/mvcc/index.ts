export type { Command } from './command.ts';
export { decodeCommand, encodeCommand } from './command.ts';
export { DamagedValue } from './record.ts';
export type { CommandResult } from './result.ts';
export { decodeResult, encodeResult } from './result.ts';
export type { MemberRecord, ReadView, Store, StoreOptions } from './store.ts';
export { openStore } from './open-store.ts';
