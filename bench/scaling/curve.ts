/** What is varied along a curve. */
export const curveNames = ['value-size', 'keys', 'connections', 'nodes', 'watchers'] as const;
export type CurveName = (typeof curveNames)[number];

export type CurveWork = 'put' | 'get';

/** What is drawn and judged of a point. */
export interface PointFigures {
  readonly requestsPerSecond: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  /** User and system time of all nodes. */
  readonly cpuMicrosPerRequest: number;
  /** At 1.0 the generator, which has one thread, is the limit. */
  readonly generatorCores: number;
}

export interface CurvePoint {
  /** Bytes, keys, connections, nodes or watchers. */
  readonly x: number;
  readonly put?: PointFigures;
  readonly get?: PointFigures;
}

/** A point that has no place in a curve. */
export interface Omission {
  readonly x: number;
  /** Absent: both. */
  readonly work?: CurveWork;
  readonly reason: string;
}

export interface Curve {
  readonly name: CurveName;
  readonly title: string;
  /** Under the axis. */
  readonly axis: string;
  readonly points: readonly CurvePoint[];
  readonly omitted: readonly Omission[];
}

const titles: Readonly<Record<CurveName, string>> = {
  'value-size': 'Size of a value',
  keys: 'Keys in the store',
  connections: 'Connections',
  nodes: 'Nodes of the cluster',
  watchers: 'Watchers of other keys',
};

const axes: Readonly<Record<CurveName, string>> = {
  'value-size': 'bytes of a value',
  keys: 'keys in the store',
  connections: 'connections, each with one request',
  nodes: 'nodes',
  watchers: 'watchers of other keys, on the leader',
};

export function curveOf(name: CurveName, points: readonly CurvePoint[], omitted: readonly Omission[]): Curve {
  return { name, title: titles[name], axis: axes[name], points, omitted };
}

/** 65536 → `64 KiB` where the curve is of bytes; 4096 → `4,096`. */
export function labelOf(name: CurveName, x: number): string {
  return name === 'value-size' ? bytesLabel(x) : x.toLocaleString('en-US');
}

/** `4,096 connections`, `64 KiB`, `1 node`. */
export function phraseOf(name: CurveName, x: number): string {
  if (name === 'value-size') return bytesLabel(x);
  return `${labelOf(name, x)} ${x === 1 ? name.slice(0, -1) : name}`;
}

function bytesLabel(bytes: number): string {
  if (bytes >= 2 ** 20 && bytes % 2 ** 20 === 0) return `${bytes / 2 ** 20} MiB`;
  if (bytes >= 1024 && bytes % 1024 === 0) return `${bytes / 1024} KiB`;
  return `${bytes} B`;
}
