import type { Cluster } from '../clusters/cluster.ts';
import type { ServerProcess } from '../clusters/server-process.ts';
import { freeBytes } from '../disk-usage.ts';

/** etcd prints a key once in its log and once in its file; LevelDB may hold a table and its successor at once. */
const diskBytesPerByte = 4;
const bytesAroundValue = 100;

/** Throws an error that says what to do if the disk would become full. */
export function mustHaveRoom(
  { nodes }: Cluster,
  { keys, valueBytes }: { readonly keys: number; readonly valueBytes: number },
): void {
  const [node] = nodes as readonly [ServerProcess];
  const needed = keys * (valueBytes + bytesAroundValue) * nodes.length * diskBytesPerByte;
  const free = freeBytes(node.dataDir);
  if (free >= needed) return;
  const text = `${Math.ceil(needed / 2 ** 30)} GiB may be needed and ${Math.floor(free / 2 ** 30)} are free`;
  throw new Error(`not enough room for the data: ${text}. Take another place with --dir, or fewer --keys`);
}
