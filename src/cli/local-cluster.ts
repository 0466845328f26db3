import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CommandError } from './exit-codes.ts';
import { expelledMessage } from './parent-channel.ts';
import { memoryArguments, memoryEnvironment } from './process-memory.ts';

/** One member of a cluster on this machine. */
export interface LocalMember {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly dataDir: string;
}

export interface LocalClusterPlan {
  readonly nodes: number;
  readonly dataDir: string;
  /** Ports of the first member, to which each further member adds its offset. */
  readonly clientPort: number;
  readonly peerPort: number;
}

/** As in etcd's examples: 2379, 22379, 32379; then 42379, 52379. */
const portOffsets = [0, 20_000, 30_000, 40_000, 50_000] as const;

export const nodesMax = portOffsets.length;

export function planMembers(plan: LocalClusterPlan): readonly LocalMember[] {
  return portOffsets.slice(0, plan.nodes).map((offset, i) => ({
    name: `node${i + 1}`,
    clientUrl: `http://localhost:${plan.clientPort + offset}`,
    peerUrl: `http://localhost:${plan.peerPort + offset}`,
    dataDir: join(plan.dataDir, `node${i + 1}`),
  }));
}

/** Finds a port that is taken before a process is started for it: the answer is one line, not three logs. */
export async function refuseTakenPorts(members: readonly LocalMember[]): Promise<void> {
  for (const { name, clientUrl, peerUrl } of members) {
    for (const [what, url] of [
      ['client', clientUrl],
      ['peer', peerUrl],
    ] as const) {
      const port = Number(new URL(url).port);
      const server = createServer().listen(port, 'localhost');
      try {
        await once(server, 'listening');
      } catch (reason) {
        const code = reason instanceof Error && 'code' in reason ? reason.code : String(reason);
        const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`;
        throw new CommandError(
          `port ${port}, the ${what} port of ${name}, ${why}; stop what uses it, or give another with --${what}-port`,
        );
      }
      server.close();
      await once(server, 'close');
    }
  }
}

/** How long members may take to stop before they are killed. Everything acknowledged is on disk by then. */
const stopTimeoutMs = 10_000;

/** The processes of a cluster, and their end. */
export class LocalCluster {
  readonly #processes: readonly { readonly member: LocalMember; readonly process: ChildProcess }[];
  readonly #expelled = new Set<LocalMember>();
  #isStopping = false;
  /** Resolves when a member has ended without having been asked to, and not because it was removed. */
  readonly lost: Promise<{ readonly member: LocalMember; readonly how: string }>;

  /** Starts a process for each member; `onLine` gets every line that it writes. */
  constructor(
    members: readonly LocalMember[],
    flags: readonly string[],
    onLine: (member: LocalMember, line: string) => void,
  ) {
    const initialCluster = members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
    this.#processes = members.map((member) => ({ member, process: start(member, initialCluster, flags, onLine) }));
    this.lost = new Promise((resolve) => {
      for (const { member, process: child } of this.#processes) {
        child.once('message', (message) => {
          if (message === expelledMessage) this.#expelled.add(member);
        });
        child.once('exit', (code, signal) => {
          if (!this.#isStopping && !this.#expelled.has(member))
            resolve({ member, how: signal === null ? `exit code ${code}` : signal });
        });
        child.once('error', (reason) => resolve({ member, how: reason.message }));
      }
    });
  }

  /** It belongs to the cluster no more, and has ended; the others go on. */
  isExpelled(member: LocalMember): boolean {
    return this.#expelled.has(member);
  }

  /** Asks all to stop, and kills what has not after a while. The names of those that had to be killed. */
  async stop(): Promise<readonly string[]> {
    this.#isStopping = true;
    const killed: string[] = [];
    await Promise.all(
      this.#processes.map(async ({ member, process: child }) => {
        if (hasEnded(child)) return;
        const timer = setTimeout(() => {
          killed.push(member.name);
          child.kill('SIGKILL');
        }, stopTimeoutMs);
        child.kill('SIGTERM');
        await once(child, 'exit');
        clearTimeout(timer);
      }),
    );
    return killed;
  }

  /** For a user who will not wait. */
  kill(): void {
    this.#isStopping = true;
    for (const { process: child } of this.#processes) child.kill('SIGKILL');
  }
}

function start(
  member: LocalMember,
  initialCluster: string,
  flags: readonly string[],
  onLine: (member: LocalMember, line: string) => void,
): ChildProcess {
  const [entry = ''] = process.argv.slice(1);
  const child = spawn(
    process.execPath,
    [
      ...memoryArguments,
      ...process.execArgv,
      entry,
      'serve',
      `--name=${member.name}`,
      `--data-dir=${member.dataDir}`,
      `--listen-client-urls=${member.clientUrl}`,
      `--listen-peer-urls=${member.peerUrl}`,
      `--initial-cluster=${initialCluster}`,
      '--initial-cluster-token=balsa-local',
      '--log-format=json',
      ...flags,
    ],
    {
      // A group of its own: Ctrl-C reaches this process only, which then stops its members in order. The channel tells
      // them if this process is killed, so that they do not stay behind.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...memoryEnvironment, ...environmentOf(process.env) },
    },
  );
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => onLine(member, line));
  }
  return child;
}

/** What the user has set for a single server would contradict what the members are started with. */
function environmentOf(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([variable]) => !/^(BALSA|ETCD)_/.test(variable)));
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}
