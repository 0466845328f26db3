import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { killOnExit } from '../clean-up.ts';

export interface ServerSpec {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly dataDir: string;
}

/** One node of a cluster: a process that can be stopped while another cluster is measured. */
export class ServerProcess {
  readonly name: string;
  readonly clientUrl: string;
  readonly #logPath: string;
  readonly #child: ChildProcess;

  constructor(spec: ServerSpec, command: string, args: readonly string[]) {
    this.name = spec.name;
    this.clientUrl = spec.clientUrl;
    this.#logPath = `${spec.dataDir}.log`;
    mkdirSync(dirname(this.#logPath), { recursive: true });
    const log = openSync(this.#logPath, 'a');
    this.#child = spawn(command, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child.once('error', () => undefined);
    killOnExit(this.#child);
  }

  get pid(): number {
    this.mustRun();
    return this.#child.pid ?? Number.NaN;
  }

  /** Throws with the end of the node's log if it is gone. */
  mustRun(): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) return;
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

/** Free ports and data directories for `count` nodes called `<prefix>1` and so on. */
export async function serverSpecs(prefix: string, count: number, directory: string): Promise<readonly ServerSpec[]> {
  const ports = await freePorts(2 * count);
  return Array.from({ length: count }, (_, i) => ({
    name: `${prefix}${i + 1}`,
    clientUrl: `http://127.0.0.1:${ports[2 * i]}`,
    peerUrl: `http://127.0.0.1:${ports[2 * i + 1]}`,
    dataDir: `${directory}/${prefix}${i + 1}`,
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
