import { awake, type Cluster } from '../clusters/cluster.ts';
import type { ServerProcess } from '../clusters/server-process.ts';
import type { WatchJob } from '../generator/commands.ts';
import { GeneratorProcess } from '../generator/generator-process.ts';
import { openFilesMax } from '../process-usage.ts';
import { targetOf } from './generators.ts';

/** Fewer than a process may usually have open files, and a fraction of the ports of one address. */
const watchesPerGenerator = 2500;
const etcdStreamsPerConnection = 100;
/** A node's own: tables, logs, peers, listeners. LevelDB keeps up to 1,000 tables open. */
const otherFiles = 1200;

/** Watches go to a follower, which hears of a commit last; writes go to the leader. */
export async function watchTarget(
  cluster: Cluster,
  watches: number,
): Promise<{ readonly leader: ServerProcess; readonly watched: ServerProcess }> {
  const { leader, followers } = await awake(cluster);
  const [watched] = followers;
  if (watched === undefined) throw new Error(`${cluster.name} has no follower`);
  mustTakeConnections(watched, cluster.name === 'balsa' ? watches : Math.ceil(watches / etcdStreamsPerConnection));
  return { leader, watched };
}

/** Throws an error that names the limit if the node may not open so many files. */
export function mustTakeConnections(node: ServerProcess, connections: number): void {
  const needed = connections + otherFiles;
  const allowed = openFilesMax(node.pid);
  if (allowed >= needed) return;
  const how = `ulimit -n ${needed} (in a container: --ulimit nofile=${needed}; under systemd: LimitNOFILE=${needed})`;
  throw new Error(`${node.name} may open ${allowed} files and needs ${needed}. Allow more before the run: ${how}`);
}

export type Watches =
  | { readonly kind: 'keys' | 'prefix'; readonly prefix: string; readonly count: number }
  /** Shared out over so many processes. */
  | { readonly kind: 'key'; readonly key: string; readonly count: number; readonly processes: number };

/** Begins the watches from several processes, each from an address of its own. */
export async function openWatches(
  cluster: Cluster,
  node: ServerProcess,
  watches: Watches,
): Promise<readonly GeneratorProcess[]> {
  const generators: GeneratorProcess[] = [];
  const opened: Promise<void>[] = [];
  const most = watches.kind === 'key' ? Math.ceil(watches.count / watches.processes) : watchesPerGenerator;
  for (let first = 0; first < watches.count; first += most) {
    const generator = new GeneratorProcess();
    const count = Math.min(most, watches.count - first);
    const job: WatchJob = {
      target: targetOf(cluster, node),
      connections: cluster.name === 'balsa' ? count : Math.ceil(count / etcdStreamsPerConnection),
      // Linux answers on all of 127.0.0.0/8.
      localAddress: `127.0.0.${2 + generators.length}`,
      watches: { ...watches, first, count },
    };
    generators.push(generator);
    opened.push(generator.call('openWatches', job));
  }
  try {
    await Promise.all(opened);
    return generators;
  } catch (reason) {
    endAll(generators);
    throw reason;
  }
}

export function endAll(generators: readonly GeneratorProcess[]): void {
  for (const generator of generators) generator[Symbol.dispose]();
}
