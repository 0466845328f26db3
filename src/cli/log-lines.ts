import type { Colors } from './colors.ts';

/** A member's log line in one short line for people; what is not a log line stays as it is. */
export function shortLogLine(line: string, colors: Colors): string {
  const entry = parseEntry(line);
  if (entry === undefined) return line;
  const { level, time, event, member: _member, ...facts } = entry;
  const clock = typeof time === 'string' ? `${colors.dim(time.slice(11, 23))} ` : '';
  const told = Object.entries(facts).map(([name, fact]) => colors.dim(`${name}=${factText(fact)}`));
  return [`${clock}${eventText(String(level), String(event), colors)}`, ...told].join(' ');
}

function eventText(level: string, event: string, colors: Colors): string {
  if (level === 'warn') return colors.warn(`WARN ${event}`);
  if (level === 'error' || level === 'fatal') return colors.error(`${level.toUpperCase()} ${event}`);
  return level === 'debug' ? colors.dim(event) : event;
}

function factText(fact: unknown): string {
  if (typeof fact === 'string') return /^\S{1,80}$/.test(fact) ? fact : JSON.stringify(fact);
  // An error: its stack is for the JSON log of a real installation.
  if (typeof fact === 'object' && fact !== null && 'message' in fact) return JSON.stringify(fact.message);
  return JSON.stringify(fact);
}

function parseEntry(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null && 'event' in entry
      ? (entry as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
