import type { Condition, KeyRange } from '../contract/kv.ts';

/**
 * What a log entry asks of the state machine. Everything that could differ between members (time, chance, limits) was
 * decided before and stands in it.
 */
export type Command =
  | {
      readonly kind: 'put';
      readonly key: Uint8Array;
      readonly value: Uint8Array;
      readonly condition: Condition | undefined;
      readonly previous: boolean;
    }
  | {
      readonly kind: 'delete';
      readonly key: Uint8Array;
      readonly condition: Condition | undefined;
      readonly previous: boolean;
    }
  | { readonly kind: 'deleteRange'; readonly range: KeyRange }
  /** A member tells how clients reach it (as etcd's "publish"); changes no revision. */
  | {
      readonly kind: 'publish';
      readonly memberId: string;
      readonly name: string;
      readonly clientUrls: readonly string[];
      readonly version: string;
    };

export declare function encodeCommand(command: Command): Buffer;
export declare function decodeCommand(bytes: Uint8Array): Command;
