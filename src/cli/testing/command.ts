import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Endpoints } from '../../client/testing/endpoint.ts';

const mainPath = fileURLToPath(new URL('../main.ts', import.meta.url));

export interface Running {
  readonly interrupt: () => void;
  /** Once standard output has that. */
  readonly said: (text: string) => Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** The commands as processes, against endpoints that play the REST API. */
export class Commands {
  readonly #endpoints = new Endpoints();

  async start(answer: RequestListener, args: readonly string[], stdin = ''): Promise<Running> {
    const env = { ...process.env, BALSA_ENDPOINTS: await this.#endpoints.open(answer) };
    const child = spawn(process.execPath, ['--import', 'tsx', mainPath, ...args], { env });
    const written = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk: Buffer) => {
        written[name] += chunk;
      });
    }
    child.stdin.end(stdin);
    return {
      interrupt: () => child.kill('SIGINT'),
      said: async (text) => {
        while (!written.stdout.includes(text)) await once(child.stdout, 'data');
      },
      ended: once(child, 'close').then(([code]) => ({ code: code as number | null, ...written })),
    };
  }

  async run(answer: RequestListener, args: readonly string[], stdin?: string) {
    return (await this.start(answer, args, stdin)).ended;
  }

  /** Standard output of a command that must not fail. */
  async output(answer: RequestListener, line: string, stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(answer, line.split(' '), stdin);
    assert.equal(stderr, '');
    assert.equal(code, 0);
    return stdout;
  }

  async fails(code: number, message: RegExp, answer: RequestListener, line: string, stdin?: string): Promise<void> {
    const outcome = await this.run(answer, line.split(' '), stdin);
    assert.match(outcome.stderr, message);
    assert.equal(outcome.stderr.trimEnd().split('\n').length, 1, 'one line');
    assert.deepEqual([outcome.code, outcome.stdout], [code, '']);
  }

  closeAll(): void {
    this.#endpoints.closeAll();
  }
}
