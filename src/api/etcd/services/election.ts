import { prefixRange } from '../../../contract/key-range.ts';
import type { EtcdOptions, Headers } from '../etcd-options.ts';
import { type Call, type Service, type StreamCall, type StreamMethod, unary } from '../method.ts';
import { HeaderResponse } from '../proto/messages/empty.ts';
import * as messages from '../proto/messages/lock.ts';
import { EtcdError } from '../status.ts';
import { Drain } from './drain.ts';
import { clamped } from './key-ranges.ts';
import { prefixOf, TurnQueue } from './turn-queue.ts';

/** `v3electionpb.Election`. */
export function electionService(options: EtcdOptions, headers: Headers): Service {
  const queue = new TurnQueue(options);

  async function campaign({ name, lease, value }: messages.CampaignRequest, call: Call) {
    const { header, key, createRevision, lease: session } = await queue.take(name, lease, value, call);
    return { header: headers.of(header), leader: { name, key, rev: createRevision, lease: session } };
  }

  async function proclaim({ leader, value }: messages.ProclaimRequest, { timeoutMs }: Call) {
    const { header, succeeded } = await queue.change(placeOf(leader), value, timeoutMs);
    if (!succeeded) throw unknown('election: not leader');
    return { header: headers.of(header) };
  }

  async function leader({ name }: messages.LeaderRequest, { timeoutMs }: Call) {
    const { header, kv } = await queue.first(name, timeoutMs);
    if (kv === undefined) throw unknown('election: no leader');
    return { header: headers.of(header), kv };
  }

  async function resign({ leader: left }: messages.ResignRequest, { timeoutMs }: Call) {
    const { header } = await queue.leave(placeOf(left), timeoutMs);
    return { header: headers.of(header) };
  }

  const observe: StreamMethod<messages.LeaderRequest, messages.LeaderResponse> = {
    kind: 'stream',
    name: 'Observe',
    paths: ['election/observe'],
    request: messages.LeaderRequest,
    response: messages.LeaderResponse,
    requests: 'one',
    open: (call) => {
      const observer = new Observer(call, queue, options, headers);
      return { onRequest: ({ name }) => observer.observe(name), onEnd: () => {}, onClose: () => observer.close() };
    },
  };

  const { CampaignRequest, CampaignResponse, ProclaimRequest, LeaderRequest, LeaderResponse, ResignRequest } = messages;
  return {
    name: 'v3electionpb.Election',
    methods: [
      unary('Campaign', ['election/campaign'], CampaignRequest, CampaignResponse, campaign),
      unary('Proclaim', ['election/proclaim'], ProclaimRequest, HeaderResponse, proclaim),
      unary('Leader', ['election/leader'], LeaderRequest, LeaderResponse, leader),
      observe,
      unary('Resign', ['election/resign'], ResignRequest, HeaderResponse, resign),
    ],
  };
}

/** Tells who leads, whenever that, or what the leader proclaims, is another than before. */
class Observer {
  readonly #call: StreamCall<messages.LeaderResponse>;
  readonly #queue: TurnQueue;
  readonly #options: EtcdOptions;
  readonly #headers: Headers;
  readonly #drain: Drain;
  #close: () => void = () => {};
  #told = '';
  #isLooking = false;
  #hasChanged = false;

  constructor(call: StreamCall<messages.LeaderResponse>, queue: TurnQueue, options: EtcdOptions, headers: Headers) {
    this.#call = call;
    this.#drain = new Drain(call);
    this.#queue = queue;
    this.#options = options;
    this.#headers = headers;
  }

  async observe(name: Uint8Array): Promise<void> {
    const { timeoutMs, signal } = this.#call;
    const sink = {
      onBatch: () => {
        this.#look(name);
        return true;
      },
      onProgress: () => true,
      onEnd: (error: Error) => this.#call.end(error),
    };
    const request = { range: prefixRange(prefixOf(name)), revision: undefined, previous: false, filter: undefined };
    const watch = await this.#options.watch.watch(request, sink, { timeoutMs, signal });
    this.#close = () => watch.close();
    if (signal.aborted) this.close();
    else this.#look(name);
  }

  close(): void {
    this.#drain.close();
    this.#close();
  }

  /** What changes while it looks is seen in one further look. */
  #look(name: Uint8Array): void {
    this.#hasChanged = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#lookOn(name)
      .catch((reason: unknown) => this.#call.end(reason))
      .finally(() => {
        this.#isLooking = false;
      });
  }

  async #lookOn(name: Uint8Array): Promise<void> {
    while (this.#hasChanged && !this.#call.signal.aborted) {
      this.#hasChanged = false;
      const { header, kv } = await this.#queue.first(name, this.#call.timeoutMs);
      const found = kv === undefined ? '' : `${kv.createRevision} ${kv.modRevision}`;
      if (kv === undefined || found === this.#told) continue;
      this.#told = found;
      if (!this.#call.send({ header: this.#headers.of(header), kv })) await this.#drain.wait();
    }
  }
}

function placeOf(leader: messages.LeaderKey | undefined) {
  if (leader === undefined) throw unknown('"leader" field must be provided');
  const { key, lease, rev } = leader;
  return { key, lease, createRevision: Math.max(0, clamped(rev)) };
}

/** These are no errors of etcd's own catalogue. */
function unknown(text: string): EtcdError {
  return new EtcdError('UNKNOWN', text);
}
