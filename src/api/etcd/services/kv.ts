import type { EtcdOptions, Headers } from '../etcd-options.ts';
import { checkLeader } from '../etcd-options.ts';
import { type Call, type Service, type StreamMethod, unary } from '../method.ts';
import type { Init } from '../proto/message-type.ts';
import * as messages from '../proto/messages/kv.ts';
import { etcdErrors } from '../status.ts';
import { clamped, rangeOf, revisionOf } from './key-ranges.ts';
import { checkRange, Ranges, readOptions } from './range.ts';
import { rangeStream } from './range-stream.ts';
import { checkDelete, checkPut, deletedKvs, putOptions, txnRequest, txnResponse } from './txn.ts';

/** `etcdserverpb.KV`. */
export function kvService(options: EtcdOptions, headers: Headers): Service {
  const { kv, cluster, requestBytesMax } = options;
  const ranges = new Ranges(options, headers);

  async function put(request: messages.PutRequest, call: Call): Promise<Init<messages.PutResponse>> {
    checkPut(request);
    checkSize(call);
    const { key, value } = request;
    const { timeoutMs } = call;
    const answer = await kv.put({ key, value, condition: undefined, ...putOptions(request) }, { timeoutMs });
    return { header: headers.of(answer.header), prevKv: answer.previous };
  }

  async function deleteRange(
    request: messages.DeleteRangeRequest,
    { timeoutMs }: Call,
  ): Promise<Init<messages.DeleteRangeResponse>> {
    checkDelete(request);
    const { key, prevKv: previous } = request;
    if (request.rangeEnd.length === 0) {
      const answer = await kv.delete({ key, condition: undefined, previous }, { timeoutMs });
      const prevKvs = answer.previous === undefined ? [] : [answer.previous];
      return { header: headers.of(answer.header), deleted: answer.deleted, prevKvs };
    }
    const range = rangeOf(request);
    if (!previous) {
      const { header, deleted } = await kv.deleteRange({ range }, { timeoutMs });
      return { header: headers.of(header), deleted };
    }
    const asked = { compare: [], success: [{ kind: 'delete', range, previous }], failure: [] } as const;
    const answer = await kv.txn(asked, { timeoutMs });
    const deleted = deletedKvs(answer);
    return { header: headers.of(answer.header), deleted: deleted.deleted, prevKvs: deleted.previous };
  }

  async function txn(request: messages.TxnRequest, call: Call): Promise<Init<messages.TxnResponse>> {
    const asked = txnRequest(request);
    checkSize(call);
    return txnResponse(await kv.txn(asked, { timeoutMs: call.timeoutMs }), headers);
  }

  async function compact(
    { revision }: messages.CompactionRequest,
    { timeoutMs }: Call,
  ): Promise<Init<messages.CompactionResponse>> {
    if (revision < 0n) throw etcdErrors.compacted();
    const { header } = await kv.compact(clamped(revision), { timeoutMs });
    return { header: headers.of(header) };
  }

  /** Etcd's clients send up to half a MiB more before the transport refuses it. */
  function checkSize({ requestBytes }: Call): void {
    if (requestBytes > requestBytesMax) throw etcdErrors.requestTooLarge();
  }

  /** Every call that asks for a leader is refused while there is none. */
  const led =
    <Request, Response>(handle: (request: Request, call: Call) => Promise<Response>) =>
    async (request: Request, call: Call): Promise<Response> => {
      checkLeader(call, cluster);
      return handle(request, call);
    };

  const stream: StreamMethod<messages.RangeRequest, messages.RangeStreamResponse> = rangeStream(
    async (request, call) => {
      checkRange(request);
      checkLeader(call, cluster);
      const { keysOnly } = request;
      const revision = revisionOf(request.revision);
      return kv.stream(rangeOf(request), { ...readOptions(request, call), keysOnly, revision });
    },
    (request, call) => ranges.range(request, call),
    headers,
  );

  return {
    name: 'etcdserverpb.KV',
    methods: [
      unary(
        'Range',
        ['kv/range'],
        messages.RangeRequest,
        messages.RangeResponse,
        led((r, c) => ranges.range(r, c)),
      ),
      unary('Put', ['kv/put'], messages.PutRequest, messages.PutResponse, led(put)),
      unary(
        'DeleteRange',
        ['kv/deleterange'],
        messages.DeleteRangeRequest,
        messages.DeleteRangeResponse,
        led(deleteRange),
      ),
      unary('Txn', ['kv/txn'], messages.TxnRequest, messages.TxnResponse, led(txn)),
      unary('Compact', ['kv/compaction'], messages.CompactionRequest, messages.CompactionResponse, led(compact)),
      stream,
    ],
  };
}
