import { etcdVersion } from '../../../contract/etcd-version.ts';
import type { BackupService } from '../../../replica/service.ts';
import type { Headers } from '../etcd-options.ts';
import type { StreamCall, StreamMethod, StreamRequests } from '../method.ts';
import { SnapshotRequest, SnapshotResponse } from '../proto/messages/maintenance.ts';
import { Drain } from './drain.ts';

/**
 * `Maintenance.Snapshot`: a backup of Balsa's, which `etcdctl snapshot save` stores as it comes and `balsa snapshot
 * restore` reads. How much is to come is not known before the end.
 */
export function snapshotStream(
  backup: BackupService,
  headers: Headers,
): StreamMethod<SnapshotRequest, SnapshotResponse> {
  async function send(call: StreamCall<SnapshotResponse>, drain: Drain): Promise<void> {
    const { header, chunks } = await backup.backup({ timeoutMs: call.timeoutMs });
    const first = { header: headers.of(header), version: etcdVersion };
    for await (const blob of chunks) {
      if (!call.send({ ...first, remainingBytes: 1, blob })) await drain.wait();
      // The export behind the chunks is closed on the way out.
      if (call.signal.aborted) return;
    }
    call.send({ ...first, remainingBytes: 0 });
  }

  return {
    kind: 'stream',
    name: 'Snapshot',
    paths: ['maintenance/snapshot'],
    request: SnapshotRequest,
    response: SnapshotResponse,
    requests: 'one',
    open(call): StreamRequests<SnapshotRequest> {
      const drain = new Drain(call);
      return {
        onRequest: async () => {
          await send(call, drain);
          call.end();
        },
        onEnd: () => {},
        onClose: () => drain.close(),
      };
    },
  };
}
