/** What `node --cpu-prof` writes (Chrome DevTools Protocol, Profiler.Profile); the members that are read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  /** Ids of the nodes that were on top, and µs since the one before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Who wrote the code of a frame. */
export type Origin = 'balsa' | 'package' | 'node' | 'native' | 'garbage';

/** A function as it was called by those above it, with everything that it called. */
export interface Frame {
  /** The function and its file, without the directories of the machine. */
  readonly name: string;
  readonly origin: Origin;
  /** µs, callees included. */
  readonly totalUs: number;
  /** Longest first. */
  readonly callees: readonly Frame[];
}

interface Draft {
  readonly name: string;
  readonly origin: Origin;
  totalUs: number;
  readonly callees: Map<string, Draft>;
}

/** Calls of the same function by the same callers are one frame. The time in which nothing ran is left out. */
export function framesOf(profile: CpuProfile): Frame {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const callers = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const root: Draft = { name: 'all', origin: 'native', totalUs: 0, callees: new Map() };
  for (const [i, id] of profile.samples.entries()) {
    const stack: { readonly name: string; readonly origin: Origin }[] = [];
    for (let at: number | undefined = id; at !== undefined; at = callers.get(at)) {
      const node = nodes.get(at);
      if (node !== undefined && node.callFrame.functionName !== '(root)') stack.push(describe(node.callFrame));
    }
    if (stack[0]?.name === '(idle)') continue;
    addSample(root, stack.reverse(), profile.timeDeltas[i] ?? 0);
  }
  return finished(root);
}

function addSample(
  root: Draft,
  stack: readonly { readonly name: string; readonly origin: Origin }[],
  us: number,
): void {
  root.totalUs += us;
  let caller = root;
  for (const { name, origin } of stack) {
    let frame = caller.callees.get(name);
    if (frame === undefined) {
      frame = { name, origin, totalUs: 0, callees: new Map() };
      caller.callees.set(name, frame);
    }
    frame.totalUs += us;
    caller = frame;
  }
}

function finished({ name, origin, totalUs, callees }: Draft): Frame {
  return { name, origin, totalUs, callees: [...callees.values()].map(finished).sort((a, b) => b.totalUs - a.totalUs) };
}

function describe(frame: CpuProfile['nodes'][number]['callFrame']): { readonly name: string; readonly origin: Origin } {
  const { functionName, url, lineNumber } = frame;
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (functionName === '(garbage collector)') return { name, origin: 'garbage' };
  if (url === '') return { name, origin: 'native' };
  const place = `${url.replace(/^.*\/(?:node_modules|dist|src)\//, '')}:${lineNumber + 1}`;
  const origin = url.startsWith('node:') ? 'node' : url.includes('/node_modules/') ? 'package' : 'balsa';
  return { name: `${name} ${place}`, origin };
}
