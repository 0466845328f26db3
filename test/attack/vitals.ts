import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { get } from 'node:http';
import type { MemoryUse } from '../fuzz/engine/target.ts';
import type { NodeProcess } from '../support/processes.ts';

/** How a node's process is, as it tells itself and as the kernel does. */
export interface Vitals {
  readonly raftTerm: number;
  /** gRPC connections and calls under way on them; a watch is a call, too, and may have many watchers. */
  readonly connections: number;
  readonly calls: number;
  readonly watchers: number;
  /** Lists and streams that are being read, each with its LevelDB snapshot and iterator. */
  readonly views: number;
  /** Backups, likewise. */
  readonly exports: number;
  readonly pendingWrites: number;
  readonly leases: number;
  readonly sockets: number;
  /** Of the event loop, since somebody asked last. */
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  readonly memory: MemoryUse;
}

const patienceMs = 10_000;

export async function vitalsOf(node: NodeProcess): Promise<Vitals> {
  const text = await metricsOf(node);
  const metric = (name: string): number => {
    const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(text) ?? [];
    if (value === undefined) throw new Error(`/metrics has no ${name}`);
    return Number(value);
  };
  return {
    raftTerm: metric('balsa_raft_term'),
    connections: metric('balsa_grpc_connections'),
    calls: metric('balsa_grpc_calls'),
    watchers: metric('balsa_watches'),
    views: metric('balsa_open_views'),
    exports: metric('balsa_open_exports'),
    pendingWrites: metric('balsa_pending_writes'),
    leases: metric('balsa_leases'),
    sockets: socketsOf(node),
    loopDelayP99Ms: metric('nodejs_eventloop_lag_p99_seconds') * 1000,
    loopDelayMaxMs: metric('nodejs_eventloop_lag_max_seconds') * 1000,
    memory: {
      used: metric('nodejs_heap_size_used_bytes') + metric('nodejs_external_memory_bytes'),
      resident: residentBytes(node),
    },
  };
}

export function residentBytes({ pid }: NodeProcess): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Milliseconds that its main thread could have run and got no processor, since it began: that is the machine's doing. */
export function starvedMs({ pid }: NodeProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
}

/** On a connection that ends with the answer: one that is kept would count among the node's. */
function metricsOf(node: NodeProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`${node.url}/metrics`, { agent: false, timeout: patienceMs }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve(Buffer.concat(chunks).toString()));
      answer.on('error', reject);
    })
      .on('timeout', () => reject(new Error(`/metrics was not answered within ${patienceMs} ms`)))
      .on('error', reject);
  });
}

/** Not all descriptors: how many tables LevelDB has open says nothing of clients. */
function socketsOf({ pid }: NodeProcess): number {
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return 'closed meanwhile';
    }
  });
  return targets.filter((target) => target.startsWith('socket:')).length;
}

const collector =
  "import{setFlagsFromString}from'node:v8';import{runInNewContext}from'node:vm';setFlagsFromString('--expose-gc');" +
  "const%20gc=runInNewContext('gc');process.on('SIGUSR2',()=>gc())";

/** For a process whose garbage is to be collected on request, so that what is left is what is held. */
export const collectable = { NODE_OPTIONS: `--import=data:text/javascript,${collector}` };

export function collectGarbageOf(node: NodeProcess): void {
  node.signal('SIGUSR2');
}
