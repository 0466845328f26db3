import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerProcess } from '../clusters/server-process.ts';

const readyTimeoutMs = 120_000;
const pollMs = 5;

export interface Restart {
  readonly node: string;
  /** From SIGTERM until the process is gone. */
  readonly endSeconds: number;
  /** From its start, the program's own start included, until it says that it can serve. */
  readonly readySeconds: number;
}

export async function measureRestart(node: ServerProcess, readyPath: string): Promise<Restart> {
  const asked = performance.now();
  await node.terminate();
  const started = performance.now();
  node.start();
  while (!(await isReady(node.clientUrl + readyPath))) {
    node.mustRun();
    if (performance.now() - started > readyTimeoutMs) {
      throw new Error(`${node.name} is not ready ${readyTimeoutMs} ms after its start`);
    }
    await delay(pollMs);
  }
  return {
    node: node.name,
    endSeconds: (started - asked) / 1000,
    readySeconds: (performance.now() - started) / 1000,
  };
}

/** Not with `fetch`, which spends more time on a refused connection than there is between two questions. */
export function isReady(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const question = get(url, { agent: false, timeout: 1000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    question.once('timeout', () => question.destroy());
    question.once('error', () => resolve(false));
  });
}
