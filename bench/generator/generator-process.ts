import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { killOnExit } from '../clean-up.ts';
import { usageOf } from '../process-usage.ts';
import type { Commands } from './commands.ts';

const programPath = fileURLToPath(new URL('main.ts', import.meta.url));

type Reply = { readonly result: unknown } | { readonly failure: string };

/** A process of its own that makes load, so that what it needs is not taken from the benchmark's own event loop. */
export class GeneratorProcess implements Disposable {
  /** `advanced`: typed arrays arrive as what they are. */
  readonly #child: ChildProcess = fork(programPath, { serialization: 'advanced' });
  #lastCpuSeconds = 0;

  constructor() {
    killOnExit(this.#child);
  }

  /** Resolves when it has started: that takes half a second, which is no part of what is measured. */
  async ready(): Promise<void> {
    await this.call('watchState');
  }

  /** One command at a time. Rejects with the reason if it fails or the process ends. */
  async call<Name extends keyof Commands>(
    command: Name,
    ...[argument]: Parameters<Commands[Name]>
  ): Promise<Awaited<ReturnType<Commands[Name]>>> {
    const abort = new AbortController();
    const reply = once(this.#child, 'message', { signal: abort.signal });
    const end = once(this.#child, 'exit', { signal: abort.signal });
    this.#child.send({ command, argument });
    try {
      const [message] = await Promise.race([reply, end.then(endedAsFailure)]);
      return resultOf<Awaited<ReturnType<Commands[Name]>>>(message);
    } finally {
      abort.abort();
      await Promise.allSettled([reply, end]);
    }
  }

  /** User and system time of all its life. */
  get cpuSeconds(): number {
    const { pid, exitCode, signalCode } = this.#child;
    const isRunning = pid !== undefined && exitCode === null && signalCode === null;
    if (isRunning) this.#lastCpuSeconds = usageOf(pid).cpuSeconds;
    return this.#lastCpuSeconds;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

/** The types are those of `Commands` on both sides of the pipe, which come from the same build. */
function resultOf<Result>(reply: Reply): Result {
  if ('failure' in reply) throw new Error(`a load generator: ${reply.failure}`);
  return reply.result as Result;
}

function endedAsFailure([code, signal]: readonly unknown[]): readonly [Reply] {
  return [{ failure: `it has ended with ${code ?? signal}` }];
}
