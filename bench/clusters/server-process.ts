import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { killOnExit } from '../clean-up.ts';
import { usageOf } from '../process-usage.ts';

export interface ServerSpec {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly dataDir: string;
}

/** Makes data directories before the nodes are started on them. */
export type Prepare = (specs: readonly ServerSpec[]) => Promise<void>;

/** Longer than a server may take to write down what it has in memory. */
const endTimeoutMs = 60_000;

/** One node of a cluster: a process that can be stopped while another cluster is measured, and started again. */
export class ServerProcess {
  readonly name: string;
  readonly clientUrl: string;
  readonly dataDir: string;
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;
  readonly #logPath: string;
  #child: ChildProcess;

  constructor(
    spec: ServerSpec,
    command: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.name = spec.name;
    this.clientUrl = spec.clientUrl;
    this.dataDir = spec.dataDir;
    this.#command = command;
    this.#args = args;
    this.#environment = environment;
    this.#logPath = `${spec.dataDir}.log`;
    mkdirSync(dirname(this.#logPath), { recursive: true });
    this.#child = this.#spawn();
  }

  /** Again, with the same flags, on the same data. */
  start(): void {
    this.#child = this.#spawn();
  }

  /** Asks the node to leave with SIGTERM, and resolves when it has; rejects if it takes a minute. */
  async terminate(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    for (const deadline = performance.now() + endTimeoutMs; this.isRunning; await delay(5)) {
      if (performance.now() > deadline) throw new Error(`${this.name} runs on ${endTimeoutMs} ms after ${signal}`);
    }
  }

  #spawn(): ChildProcess {
    const log = openSync(this.#logPath, 'a');
    const env = { ...process.env, ...this.#environment };
    const child = spawn(this.#command, this.#args, { stdio: ['ignore', log, log], env });
    closeSync(log);
    child.once('error', () => undefined);
    killOnExit(child);
    return child;
  }

  get pid(): number {
    this.mustRun();
    return this.#child.pid ?? Number.NaN;
  }

  /** User and system time since it was last started. */
  get cpuSeconds(): number {
    return usageOf(this.pid).cpuSeconds;
  }

  get isRunning(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid !== undefined && exitCode === null && signalCode === null;
  }

  /** Throws with the end of the node's log if it is gone. */
  mustRun(): void {
    if (this.isRunning) return;
    const { exitCode, signalCode } = this.#child;
    const lastLines = readFileSync(this.#logPath, 'utf8').trim().split('\n').slice(-10).join('\n');
    throw new Error(
      `${this.name} has ended with ${exitCode ?? signalCode ?? 'no start'}; its last lines:\n${lastLines}`,
    );
  }

  stop(): void {
    this.#child.kill('SIGSTOP');
  }

  continue(): void {
    this.#child.kill('SIGCONT');
  }

  async json(path: string, body?: unknown): Promise<unknown> {
    this.mustRun();
    const answer = await fetch(this.clientUrl + path, {
      signal: AbortSignal.timeout(5000),
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${this.name} answered ${answer.status} to ${path}: ${await answer.text()}`);
    return answer.json();
  }

  async text(path: string): Promise<string> {
    const answer = await fetch(this.clientUrl + path, { signal: AbortSignal.timeout(5000) });
    return answer.text();
  }
}

/** Free ports, and data directories in one of their own, for `count` nodes called `<prefix>1` and so on. */
export async function serverSpecs(prefix: string, count: number, directory: string): Promise<readonly ServerSpec[]> {
  const ports = await freePorts(2 * count);
  mkdirSync(directory, { recursive: true });
  const own = mkdtempSync(join(directory, `${prefix}-`));
  return Array.from({ length: count }, (_, i) => ({
    name: `${prefix}${i + 1}`,
    clientUrl: `http://127.0.0.1:${ports[2 * i]}`,
    peerUrl: `http://127.0.0.1:${ports[2 * i + 1]}`,
    dataDir: `${own}/${prefix}${i + 1}`,
  }));
}

export function initialCluster(specs: readonly ServerSpec[]): string {
  return specs.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
}

/** Ports that nobody listened on a moment ago. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
