import type { MemberRow, Survey } from './cluster-survey.ts';
import type { Colors } from './colors.ts';
import { printable, table } from './output.ts';

const header = [
  'NAME',
  'ROLE',
  'TERM',
  'INDEX',
  'LAG',
  'SIZE',
  'UPTIME',
  'REVISION',
  'VERSION',
  'ID',
  'ENDPOINT',
  'ERRORS',
];

/** A line for the cluster, a line for each member, and below them what is wrong. */
export function statusTable({ cluster, rows }: Survey, colors: Colors): string {
  const answering = rows.filter(({ status }) => status !== undefined).length;
  const leader = rows.find(({ status }) => status?.state === 'leader');
  const id = cluster === undefined ? 'cluster unknown' : `cluster ${cluster.clusterId}`;
  const summary = [id, `leader ${leader?.name ?? 'none'}`, `${answering} of ${rows.length} members answer`].join(', ');
  const [titles = '', ...lines] = table(header, rows.map(cells)).trimEnd().split('\n');
  const painted = lines.map((line, i) => paint(rows[i], line, colors));
  const wrong = rows.flatMap(({ name, errors }) => errors.map((error) => `${name}: ${printable(Buffer.from(error))}`));
  return `${[summary, colors.dim(titles), ...painted, ...wrong.map(colors.warn)].join('\n')}\n`;
}

function paint(row: MemberRow | undefined, line: string, colors: Colors): string {
  if (row?.status === undefined) return colors.error(line);
  return row.status.state === 'leader' ? colors.bold(line) : line;
}

function cells({ name, id, endpoint, status, lagEntries, errors }: MemberRow): string[] {
  const facts = [
    status?.raftTerm,
    status?.appliedIndex,
    lagEntries,
    status === undefined ? undefined : bytesText(status.dbSizeBytes),
    status === undefined ? undefined : durationText(status.uptimeSeconds),
    status?.revision,
    status?.version,
  ];
  const told = facts.map((fact) => String(fact ?? '-'));
  return [
    name,
    status?.state ?? 'unreachable',
    ...told,
    id,
    endpoint,
    errors.length === 0 ? 'none' : `${errors.length}`,
  ];
}

/** In the largest unit that leaves a whole number of it: 512B, 1.5M, 20G. */
export function bytesText(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T'];
  let unit = 0;
  let size = bytes;
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024;
  return `${unit === 0 || size >= 10 ? Math.round(size) : size.toFixed(1)}${units[unit]}`;
}

/** In the two largest units: 45s, 3m20s, 5h12m, 12d4h. */
export function durationText(seconds: number): string {
  const amounts = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ];
  const first = Math.min(amounts.findIndex((amount) => amount > 0) >>> 0, 3);
  const units = ['d', 'h', 'm', 's'];
  return amounts
    .slice(first, first + 2)
    .map((amount, i) => `${amount}${units[first + i]}`)
    .join('');
}
