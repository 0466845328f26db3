import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, type NodeProcess } from '../support/processes.ts';

/** Everything in a data directory is lost; the directory may be one that something is mounted on. */
export function wipe(dataDir: string): void {
  for (const name of existsSync(dataDir) ? readdirSync(dataDir) : []) {
    rmSync(join(dataDir, name), { recursive: true, force: true });
  }
}

/** What a member that does not run has on its disk, to come back later. */
export class DiskCopy {
  readonly #dataDir: string;
  readonly #path: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#path = `${dataDir}.copy`;
    rmSync(this.#path, { recursive: true, force: true });
    mkdirSync(this.#path, { mode: 0o700 });
    copyInto(dataDir, this.#path);
  }

  restore(): void {
    wipe(this.#dataDir);
    copyInto(this.#path, this.#dataDir);
    rmSync(this.#path, { recursive: true, force: true });
  }
}

function copyInto(from: string, to: string): void {
  for (const name of readdirSync(from)) cpSync(join(from, name), join(to, name), { recursive: true });
}

/** Has any of the nodes remove that member, however long it takes until one of them can. */
export async function removeMember(id: string, through: readonly NodeProcess[], timeoutMs: number): Promise<void> {
  await eventually(`member ${id} is removed`, timeoutMs, async () => {
    for (const node of through) {
      const url = `${node.url}/v1/cluster/members/${id}?timeout=5s`;
      const answer = await fetch(url, { method: 'DELETE', signal: AbortSignal.timeout(7000) }).catch(() => undefined);
      if (answer?.ok || answer?.status === 404) return true;
    }
    return false;
  });
}

/** The id of the member that runs there, as soon as it says so. */
export async function memberIdOf(node: NodeProcess, timeoutMs: number): Promise<string> {
  return eventually(`${node.spec.name} says who it is`, timeoutMs, async () => {
    const { memberId } = (await (await node.get('/v1/status', 1000)).json()) as { memberId: string };
    return memberId;
  });
}
