import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const balsaPath = fileURLToPath(new URL('../../dist/cli/balsa.cjs', import.meta.url));

export interface NodeSpec {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  /** Where the others are told to find it, if not at its own port: something may stand between. */
  readonly advertisedPeerPort?: number;
  readonly dataDir: string;
  /** Further flags of `balsa serve`. */
  readonly flags: readonly string[];
}

/** One real server process that can be killed, paused and started again on its data. */
export class NodeProcess {
  readonly spec: NodeSpec;
  readonly url: string;
  readonly logPath: string;
  #initialCluster: string;
  #joinUrls: readonly string[] = [];
  #child: ChildProcess | undefined;
  #exit: Promise<{ code: number | null; signal: string | null }> | undefined;

  constructor(spec: NodeSpec, initialCluster: string) {
    this.spec = spec;
    this.url = `http://127.0.0.1:${spec.clientPort}`;
    this.logPath = `${spec.dataDir}.log`;
    this.#initialCluster = initialCluster;
  }

  /** `environment`: beside that of this process. */
  start(environment: Readonly<Record<string, string>> = {}): void {
    const log = createWriteStream(this.logPath, { flags: 'a' });
    const child = spawn(process.execPath, [balsaPath, 'serve', ...this.#flags()], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    this.#child = child;
    this.#exit = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** From the next start on it is one that has itself added by those, unless it has data. */
  joinBy(urls: readonly string[]): void {
    this.#initialCluster = '';
    this.#joinUrls = urls;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** SIGSTOP and SIGCONT return at once; for the others, await `exited()`. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async exited(): Promise<{ code: number | null; signal: string | null }> {
    if (this.#exit === undefined) throw new Error(`${this.spec.name} was never started`);
    return this.#exit;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited();
  }

  /** What the spec says; its own flags come last and replace the others. */
  #flags(): string[] {
    const { name, clientPort, peerPort, advertisedPeerPort = peerPort, dataDir, flags } = this.spec;
    const all = [
      `--name=${name}`,
      `--data-dir=${dataDir}`,
      `--listen-client-urls=http://127.0.0.1:${clientPort}`,
      `--advertise-client-urls=http://127.0.0.1:${clientPort}`,
      `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${advertisedPeerPort}`,
      ...(this.#initialCluster === '' ? [] : [`--initial-cluster=${this.#initialCluster}`]),
      ...(this.#joinUrls.length === 0 ? [] : [`--join=${this.#joinUrls.join(',')}`]),
      '--log-format=json',
      ...flags,
    ];
    return [...new Map(all.map((flag) => [flag.slice(0, flag.indexOf('=')), flag])).values()];
  }

  async get(path: string, timeoutMs = 5000, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(this.url + path, { headers, signal: AbortSignal.timeout(timeoutMs) });
  }
}

/** A cluster of real processes on loopback, in a temporary directory that goes away with it. */
export class ProcessCluster implements AsyncDisposable {
  /** Whoever holds it sees members come and go. */
  readonly nodes: NodeProcess[];
  readonly #directory: string;
  readonly #others: NodeProcess[] = [];
  #joined = 0;
  #keep = false;

  private constructor(nodes: NodeProcess[], directory: string) {
    this.nodes = nodes;
    this.#directory = directory;
  }

  static async start(size: number, flags: readonly string[] = []): Promise<ProcessCluster> {
    const cluster = await ProcessCluster.prepare(size, flags);
    for (const node of cluster.nodes) node.start();
    await cluster.ready();
    return cluster;
  }

  /** Nodes that have not been started. `advertisedPeerPorts`: see `NodeSpec`. */
  static async prepare(
    size: number,
    flags: readonly string[] = [],
    advertisedPeerPorts: readonly number[] = [],
  ): Promise<ProcessCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'balsa-test-'));
    const ports = await freePorts(2 * size);
    const specs = Array.from({ length: size }, (_, i) => ({
      name: `node${i + 1}`,
      clientPort: ports[2 * i] ?? 0,
      peerPort: ports[2 * i + 1] ?? 0,
      advertisedPeerPort: advertisedPeerPorts[i] ?? ports[2 * i + 1] ?? 0,
      dataDir: join(directory, `node${i + 1}`, 'data'),
      flags,
    }));
    for (const { dataDir } of specs) mkdirSync(dirname(dataDir));
    const initialCluster = specs
      .map(({ name, advertisedPeerPort }) => `${name}=http://127.0.0.1:${advertisedPeerPort}`)
      .join(',');
    return new ProcessCluster(
      specs.map((spec) => new NodeProcess(spec, initialCluster)),
      directory,
    );
  }

  node(index: number): NodeProcess {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    return node;
  }

  /** A process beside the nodes, with the flags of the first one but for those given. Ends with the cluster. */
  another(flags: readonly string[]): NodeProcess {
    const { spec } = this.node(0);
    const process = new NodeProcess({ ...spec, flags: [...spec.flags, ...flags] }, '');
    this.#others.push(process);
    return process;
  }

  /** Starts another member, which has itself added. */
  async join(): Promise<NodeProcess> {
    const [clientPort = 0, peerPort = 0] = await freePorts(2);
    const name = `joined${++this.#joined}`;
    const dataDir = join(this.#directory, name, 'data');
    mkdirSync(dirname(dataDir));
    const given = this.node(0).spec.flags.filter((flag) => !flag.startsWith('--join='));
    const flags = [...given, `--join=${this.nodes.map(({ url }) => url).join(',')}`];
    const node = new NodeProcess({ name, clientPort, peerPort, dataDir, flags }, '');
    this.nodes.push(node);
    node.start();
    return node;
  }

  /** Has another member remove it, and waits for its process to end. */
  async remove(node: NodeProcess, through: NodeProcess): Promise<void> {
    const { memberId } = (await (await node.get('/v1/status')).json()) as { readonly memberId: string };
    await eventually(`${node.spec.name} is removed`, 30_000, async () => {
      const url = `${through.url}/v1/cluster/members/${memberId}?timeout=10s`;
      const answer = await fetch(url, { method: 'DELETE', signal: AbortSignal.timeout(15_000) });
      return answer.ok || answer.status === 404;
    });
    this.nodes.splice(this.nodes.indexOf(node), 1);
    this.#others.push(node);
    await node.exited();
  }

  /** Until every running node can serve linearizable reads. */
  async ready(timeoutMs = 30_000): Promise<void> {
    for (const node of this.nodes.filter(({ isRunning }) => isRunning)) {
      await eventually(`${node.spec.name} is ready`, timeoutMs, async () => (await node.get('/readyz')).ok);
    }
  }

  /** The node that leads, as the nodes that answer agree. */
  async leader(timeoutMs = 10_000): Promise<NodeProcess> {
    return eventually('a node leads', timeoutMs, async () => {
      for (const node of this.nodes.filter(({ isRunning }) => isRunning)) {
        const status = await node.get('/v1/status', 500).then((answer) => answer.json());
        if (isState(status, 'leader')) return node;
      }
      return undefined;
    });
  }

  /** Leaves the directories behind, for a look at what went wrong. */
  keepDirectories(): string {
    this.#keep = true;
    return this.#directory;
  }

  /** Kills whatever runs, stopped or not. */
  async killAll(): Promise<void> {
    for (const node of [...this.nodes, ...this.#others]) {
      if (!node.isRunning) continue;
      node.signal('SIGCONT');
      await node.kill();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killAll();
    if (!this.#keep) rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Asks again until the answer is truthy; a failed attempt counts as "not yet". */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  attempt: () => Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let lastReason: unknown = 'it never came true';
  while (performance.now() < deadline) {
    try {
      const answer = await attempt();
      if (answer !== undefined && answer !== false) return answer;
    } catch (reason) {
      lastReason = reason;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: lastReason });
}

/** Ports that nobody listened on a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address !== null && typeof address === 'object') ports.push(address.port);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}

function isState(status: unknown, state: string): boolean {
  return typeof status === 'object' && status !== null && 'state' in status && status.state === state;
}
