import { eventually, type NodeProcess } from './processes.ts';

/** Everything that a node holds, as it says itself, and at which revision. */
export interface Contents {
  readonly revision: number;
  readonly values: ReadonlyMap<string, string>;
}

export async function contentsOf(node: NodeProcess): Promise<Contents> {
  const answer = await fetch(`${node.url}/v1/kv?prefix=&consistency=stale`, {
    headers: { accept: 'application/x-ndjson' },
  });
  const lines = (await answer.text()).split('\n').filter((line) => line !== '');
  const kvs = lines.map((line) => JSON.parse(line) as { key: string; value: string; modRevision: number });
  return {
    revision: Number(answer.headers.get('balsa-revision')),
    values: new Map(kvs.map(({ key, value, modRevision }) => [key, `${modRevision} ${value}`])),
  };
}

/** Resolves with the contents that all nodes come to agree upon. */
export async function agreedContents(nodes: readonly NodeProcess[]): Promise<Contents> {
  return eventually('all nodes hold the same at the same revision', 20_000, async () => {
    const all = await Promise.all(nodes.map(contentsOf));
    const [first, ...others] = all;
    if (first === undefined) return undefined;
    return others.every((other) => isSame(first, other)) ? first : undefined;
  });
}

function isSame(a: Contents, b: Contents): boolean {
  if (a.revision !== b.revision || a.values.size !== b.values.size) return false;
  for (const [key, value] of a.values) if (b.values.get(key) !== value) return false;
  return true;
}
