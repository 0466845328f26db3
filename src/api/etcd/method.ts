import type { Init, MessageType } from './proto/message-type.ts';

/** What a method knows of its call beside the request. */
export interface Call {
  /** A header of the request: gRPC's metadata. */
  metadata(name: string): string | undefined;
  /** Milliseconds that the client, or this member, gives it. */
  readonly timeoutMs: number;
  /** Aborted when the client has gone away or canceled the call. */
  readonly signal: AbortSignal;
  /** Of the request as it was sent. */
  readonly requestBytes: number;
}

/** One request, one answer. */
export interface UnaryMethod<Request extends object, Response extends object> {
  readonly kind: 'unary';
  readonly name: string;
  /** In the JSON gateway, behind `/v3/`. */
  readonly paths: readonly string[];
  readonly request: MessageType<Request>;
  readonly response: MessageType<Response>;
  handle(request: Request, call: Call): Promise<Init<Response>>;
}

/** A call that answers more than once. */
export interface StreamMethod<Request extends object, Response extends object> {
  readonly kind: 'stream';
  readonly name: string;
  readonly paths: readonly string[];
  readonly request: MessageType<Request>;
  readonly response: MessageType<Response>;
  /** `one`: the client sends one request and no more. */
  readonly requests: 'one' | 'many';
  open(call: StreamCall<Response>): StreamRequests<Request>;
}

/** Where the answers of a stream go. */
export interface StreamCall<Response extends object> extends Call {
  /**
   * Takes it in any case. False: the client is slow; send no more until `drained` is called.
   *
   * @param shared What many streams send alike, behind the fields of `message`: it is encoded once for all of them.
   */
  send(message: Init<Response>, shared?: SharedFields<Response>): boolean;
  drained: () => void;
  /** Ends the call; idempotent. Without an error it ends well. */
  end(error?: unknown): void;
}

export interface SharedFields<Response extends object> {
  binary(): Uint8Array;
  fields(): Init<Response>;
}

/** What the client sends. While a promise is not settled no further request is given. */
export interface StreamRequests<Request extends object> {
  onRequest(request: Request): void | Promise<void>;
  /** The client has sent all that it will. */
  onEnd(): void;
  /** The call is over, in whatever way. */
  onClose(): void;
}

// A table of methods of many types; each is paired with its own types where it is declared.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Method = UnaryMethod<any, any> | StreamMethod<any, any>;

export interface Service {
  /** With its package: `etcdserverpb.KV`. */
  readonly name: string;
  readonly methods: readonly Method[];
}

export function unary<Request extends object, Response extends object>(
  name: string,
  paths: readonly string[],
  request: MessageType<Request>,
  response: MessageType<Response>,
  handle: (request: Request, call: Call) => Promise<Init<Response>>,
): UnaryMethod<Request, Response> {
  return { kind: 'unary', name, paths, request, response, handle };
}

/** A unary method that always fails in the same way. */
export function failing(
  name: string,
  paths: readonly string[],
  request: MessageType<object>,
  error: () => Error,
): Method {
  return unary(name, paths, request, request, async () => {
    throw error();
  });
}
