export { BalsaError, type ErrorCode } from '../contract/errors.ts';
export { MemberExpelled } from '../replica/index.ts';
export { type Config, ConfigError, resolveConfig } from './config.ts';
export type { Facts, Log } from './logger.ts';
export { type BalsaNode, type OpenOptions, open } from './open.ts';
