import type { Init, MessageType } from '../../../src/api/etcd/proto/message-type.ts';

/** One request of the table, with its path in both APIs. */
export interface Step {
  readonly name: string;
  readonly method: string;
  /** Behind `/v3/`; none where the gateway has no such thing. */
  readonly gateway: string | undefined;
  readonly types: readonly [MessageType<object>, MessageType<object>];
  readonly request: object;
  /** Names of fields, wherever they are, that have another value on each server. */
  readonly own: readonly string[];
  /** Balsa means to answer something else. */
  readonly differs: Difference | undefined;
}

export interface Difference {
  readonly reason: string;
  /** How Balsa ends the call, if not well: the beginning of the text. */
  readonly error?: string;
  /** For some data the answers are the same. */
  readonly isSometimesSame?: boolean;
}

export type Method<Request extends object> = (
  name: string,
  request: Init<Request>,
  options?: { own?: readonly string[]; differs?: Difference },
) => Step;

export function method<Request extends object, Response extends object>(
  path: string,
  gateway: string | undefined,
  request: MessageType<Request>,
  response: MessageType<Response>,
): Method<Request> {
  return (name, message, { own = [], differs } = {}) => ({
    name: `${path.slice(path.lastIndexOf('.') + 1)}: ${name}`,
    method: path,
    gateway,
    types: [request, response] as unknown as Step['types'],
    request: message as object,
    own,
    differs,
  });
}
