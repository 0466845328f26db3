import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

/** One message of a watch, of either format. */
export interface WatchMessage {
  readonly type: string;
  /** Of an event stream: what a browser would send as `Last-Event-ID`. */
  readonly id: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Reads a watch message by message, as they come. */
export class WatchClient implements AsyncDisposable {
  readonly #response: IncomingMessage;
  readonly #messages: AsyncGenerator<WatchMessage, void, undefined>;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    const isLines = response.headers['content-type'] === 'application/x-ndjson';
    this.#messages = isLines ? lines(response) : events(response);
  }

  /** @param query As it stands in the URL. */
  static open(url: string, query: string, headers: Readonly<Record<string, string>> = {}): Promise<WatchClient> {
    return new Promise((resolve, reject) => {
      // No agent: each watch has a connection of its own, which ends with it.
      request(`${url}/v1/watch?${query}`, { headers, agent: false })
        .once('response', (response) => resolve(new WatchClient(response)))
        .once('error', reject)
        .end();
    });
  }

  get status(): number {
    return this.#response.statusCode ?? 0;
  }

  get headers(): IncomingHttpHeaders {
    return this.#response.headers;
  }

  /** Rejects if the stream has ended. */
  async next(): Promise<WatchMessage> {
    const { value } = await this.#messages.next();
    if (value === undefined) throw new Error('the watch has ended');
    return value;
  }

  /** The next one that is not `progress`. */
  async nextChange(): Promise<WatchMessage> {
    for (;;) {
      const message = await this.next();
      if (message.type !== 'progress') return message;
    }
  }

  /** Resolves when the server has ended the stream as HTTP says; rejects if it was cut off, or if more is said. */
  async ended(): Promise<void> {
    const { value } = await this.#messages.next();
    if (value !== undefined) throw new Error(`not ended: ${JSON.stringify(value)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#response.destroy();
  }
}

async function* lines(response: IncomingMessage): AsyncGenerator<WatchMessage, void, undefined> {
  for await (const line of parts(response, '\n')) {
    const { type, ...data } = JSON.parse(line) as { readonly type: string };
    yield { type, id: undefined, data };
  }
}

/** As `EventSource` reads them, without what we never send. */
async function* events(response: IncomingMessage): AsyncGenerator<WatchMessage, void, undefined> {
  for await (const block of parts(response, '\n\n')) {
    const fields = new Map(
      block.split('\n').map((line) => {
        const [name = '', ...value] = line.split(': ');
        return [name, value.join(': ')];
      }),
    );
    yield { type: fields.get('event') ?? '', id: fields.get('id'), data: JSON.parse(fields.get('data') ?? '') };
  }
}

async function* parts(response: IncomingMessage, separator: string): AsyncGenerator<string, void, undefined> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    const complete = `${rest}${chunk}`.split(separator);
    rest = complete.pop() ?? '';
    yield* complete;
  }
}
