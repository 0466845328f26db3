import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../../src/server/config.ts';
import { Broken, type MemoryUse } from '../engine/target.ts';
import type { FromNode } from './tested-node-process.ts';

const processPath = fileURLToPath(new URL('./tested-node-process.ts', import.meta.url));

/** Of a process's time in `/proc`; 100 a second on every Linux that Node.js runs on. */
const tickMs = 10;

const startMsMax = 30_000;

/** One member in a process of its own, so that its end is seen and its time and memory are nobody else's. */
export class TestedNode {
  readonly clientPort: number;
  readonly peerPort: number;
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #errors: string[];

  private constructor(
    child: ChildProcess,
    directory: string,
    errors: string[],
    started: FromNode & { kind: 'started' },
  ) {
    this.#child = child;
    this.#directory = directory;
    this.#errors = errors;
    this.clientPort = Number(new URL(started.clientUrl).port);
    this.peerPort = Number(new URL(started.peerUrl).port);
  }

  /** Listens on free ports of the loopback interface. */
  static async start(config: Partial<Config> = {}): Promise<TestedNode> {
    const directory = mkdtempSync(join(tmpdir(), 'balsa-fuzz-'));
    const anyPort = ['http://127.0.0.1:0'];
    const whole = {
      dataDir: join(directory, 'data'),
      listenClientUrls: anyPort,
      listenPeerUrls: anyPort,
      ...config,
    };
    const child = fork(processPath, [JSON.stringify(whole)], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const errors: string[] = [];
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors.push(text);
      if (errors.length > 100) errors.shift();
    });
    const ended = once(child, 'exit').then(() => [undefined]);
    const said = once(child, 'message', { signal: AbortSignal.timeout(startMsMax) });
    const [message] = (await Promise.race([said, ended])) as [FromNode | undefined];
    if (message?.kind !== 'started') throw new Error(`the member did not start: ${errors.join('')}`);
    return new TestedNode(child, directory, errors, message);
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Throws what it said last if it has ended. */
  mustBeAlive(): void {
    if (this.isAlive) return;
    const end = this.#child.signalCode ?? `code ${this.#child.exitCode}`;
    throw new Broken(`the process of the member ended (${end}): ${this.#errors.join('').slice(-3000)}`);
  }

  cpuMs(): number {
    try {
      // The fields behind the name, which is in parentheses and may hold spaces.
      const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) * tickMs;
    } catch {
      return 0;
    }
  }

  async memory(): Promise<MemoryUse> {
    this.mustBeAlive();
    this.#child.send('memory');
    const [message] = (await once(this.#child, 'message', { signal: AbortSignal.timeout(startMsMax) })) as [FromNode];
    if (message.kind !== 'memory') throw new Broken(`a member that should tell its memory said ${message.kind}`);
    return message;
  }

  async stop(): Promise<void> {
    if (this.isAlive) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exit;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
