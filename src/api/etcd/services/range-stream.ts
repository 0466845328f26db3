import type { AnswerHeader, KeyValue } from '../../../contract/kv.ts';
import type { Headers } from '../etcd-options.ts';
import type { Call, StreamCall, StreamMethod, StreamRequests } from '../method.ts';
import type { Init } from '../proto/message-type.ts';
import { RangeRequest, type RangeResponse, RangeStreamResponse } from '../proto/messages/kv.ts';
import { Drain } from './drain.ts';

/** A whole range, page by page. */
type OpenPages = (
  request: RangeRequest,
  call: Call,
) => Promise<{ readonly header: AnswerHeader; readonly pages: AsyncIterable<readonly KeyValue[]> }>;

/**
 * `KV.RangeStream` (etcd 3.7): the same answer as `Range` in parts, of which the last one has header, count and `more`. What is in the
 * order of the keys and without a limit comes at flat memory; all else is an answer of `Range`, in one part.
 */
export function rangeStream(
  openPages: OpenPages,
  range: (request: RangeRequest, call: Call) => Promise<Init<RangeResponse>>,
  headers: Headers,
): StreamMethod<RangeRequest, RangeStreamResponse> {
  async function send(request: RangeRequest, call: StreamCall<RangeStreamResponse>, drain: Drain): Promise<void> {
    if (!isPlain(request)) {
      call.send({ rangeResponse: await range(request, call) });
      return;
    }
    const { header, pages } = await openPages(request, call);
    let count = 0;
    for await (const kvs of pages) {
      count += kvs.length;
      if (!call.send({ rangeResponse: { kvs } })) await drain.wait();
      // The view behind the pages is closed on the way out.
      if (call.signal.aborted) return;
    }
    call.send({ rangeResponse: { header: headers.of(header), count } });
  }

  return {
    kind: 'stream',
    name: 'RangeStream',
    paths: [],
    request: RangeRequest,
    response: RangeStreamResponse,
    requests: 'one',
    open(call): StreamRequests<RangeRequest> {
      const drain = new Drain(call);
      return {
        onRequest: async (request) => {
          await send(request, call, drain);
          call.end();
        },
        onEnd: () => {},
        onClose: () => drain.close(),
      };
    },
  };
}

function isPlain(request: RangeRequest): boolean {
  const { limit, sortOrder, sortTarget, countOnly } = request;
  const isBounded = [
    request.minModRevision,
    request.maxModRevision,
    request.minCreateRevision,
    request.maxCreateRevision,
  ].some((bound) => bound !== 0n);
  return limit <= 0n && sortOrder <= 1 && sortTarget === 0 && !countOnly && !isBounded;
}
