import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The command line as it was built. */
export const balsaPath: string = fileURLToPath(new URL('../../dist/cli/balsa.cjs', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output, byte for byte. */
  readonly bytes: Buffer;
}

/** Runs one command to its end. */
export async function balsa(
  args: readonly string[],
  options: { readonly stdin?: string | Uint8Array; readonly env?: Record<string, string> } = {},
): Promise<Outcome> {
  const running = new BalsaProcess(args, { env: { ...process.env, ...options.env } });
  running.child.stdin?.end(options.stdin ?? '');
  return running.ended();
}

/** A program that is under way, with what it has written so far. */
export class RunningProgram {
  readonly child: ChildProcess;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  readonly #end: Promise<[code: number | null, signal: string | null]>;

  constructor(program: string, args: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(program, args, options);
    this.child.stdout?.on('data', (chunk: Buffer) => this.#stdout.push(chunk));
    this.child.stderr?.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
    // Not 'close' of the process: Node 20 does not emit it after a disconnect.
    const streams = [this.child.stdout, this.child.stderr].filter((stream) => stream !== null);
    const exit = once(this.child, 'exit') as Promise<[number | null, string | null]>;
    this.#end = Promise.all([exit, ...streams.map((stream) => once(stream, 'close'))]).then(([end]) => end);
  }

  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Once it has written that; rejects if it ends before. */
  async said(pattern: RegExp): Promise<string> {
    for (;;) {
      if (pattern.test(this.stdout)) return this.stdout;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`ended before it said ${pattern}: ${this.stdout}${Buffer.concat(this.#stderr)}`);
      }
      await Promise.race([this.child.stdout && once(this.child.stdout, 'data'), this.#end]);
    }
  }

  async ended(): Promise<Outcome> {
    const [code, signal] = await this.#end;
    const bytes = Buffer.concat(this.#stdout);
    return { code, signal, stdout: bytes.toString(), stderr: Buffer.concat(this.#stderr).toString(), bytes };
  }
}

/** One command of Balsa that is under way. */
export class BalsaProcess extends RunningProgram {
  constructor(args: readonly string[], options: SpawnOptions = {}) {
    super(process.execPath, [balsaPath, ...args], options);
  }
}

/** The processes that a process has started, as Linux tells it. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

/** Whether a process is there and has not ended yet. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
