import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePorts } from '../support/processes.ts';

export const howToGetEtcd =
  'this test compares Balsa with a real etcd: install etcd and etcdctl, on Debian with `apt-get install etcd-server etcd-client`';

/** Throws with the way to get it, if a program is not there. */
export function mustHave(program: 'etcd' | 'etcdctl'): void {
  const { error } = spawnSync(program, [program === 'etcd' ? '--version' : 'version']);
  if (error !== undefined) throw new Error(`there is no ${program}; ${howToGetEtcd}`);
}

/** One real etcd on loopback, in a temporary directory that goes away with it. */
export class EtcdProcess implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(url: string, child: ChildProcess, directory: string) {
    this.url = url;
    this.#child = child;
    this.#directory = directory;
  }

  static async start(): Promise<EtcdProcess> {
    mustHave('etcd');
    const directory = mkdtempSync(join(tmpdir(), 'balsa-etcd-'));
    const [clientPort, peerPort] = await freePorts(2);
    const url = `http://127.0.0.1:${clientPort}`;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const child = spawn(
      'etcd',
      [
        '--name=node1',
        `--data-dir=${join(directory, 'data')}`,
        `--listen-client-urls=${url}`,
        `--advertise-client-urls=${url}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=node1=${peerUrl}`,
        '--logger=zap',
        '--log-level=error',
      ],
      { stdio: 'ignore' },
    );
    await eventually('etcd is ready', 10_000, async () => (await fetch(`${url}/health`)).ok);
    return new EtcdProcess(url, child, directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
