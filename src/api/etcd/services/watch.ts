import type { EtcdOptions, Headers } from '../etcd-options.ts';
import type { Service, StreamMethod } from '../method.ts';
import * as messages from '../proto/messages/watch.ts';
import { WatchStream } from './watch-stream.ts';

/** `etcdserverpb.Watch`. */
export function watchService(options: EtcdOptions, headers: Headers): Service {
  const method: StreamMethod<messages.WatchRequest, messages.WatchResponse> = {
    kind: 'stream',
    name: 'Watch',
    paths: ['watch'],
    request: messages.WatchRequest,
    response: messages.WatchResponse,
    requests: 'many',
    open: (call) => new WatchStream(call, options, headers),
  };
  return { name: 'etcdserverpb.Watch', methods: [method] };
}
