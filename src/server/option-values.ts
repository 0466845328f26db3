import { isIP } from 'node:net';
import { inspect } from 'node:util';
import { z } from 'zod';

/** A voter of a new cluster. */
export interface InitialMember {
  readonly name: string;
  readonly peerUrls: readonly string[];
}

/**
 * The kinds of value an option can have. Each takes the text of a flag or variable, what a YAML or JSON file may hold
 * in its place, and what a program passes; each refusal is the second half of a sentence that starts with the origin.
 */

/** One of some words. `aliases` are accepted in their place. */
export function word<const Words extends readonly string[]>(
  words: Words,
  aliases: Readonly<Record<string, Words[number]>> = {},
): z.ZodType<Words[number]> {
  return z.preprocess(
    (given) => (typeof given === 'string' && Object.hasOwn(aliases, given) ? aliases[given] : given),
    z.enum(words, { error: (issue) => `must be one of ${words.join(', ')}, not ${shown(issue.input)}` }),
  );
}

/** A whole number within bounds. Written in digits only: `1e3`, `0x10` and `-1` are mistakes more often than numbers. */
export function count(range: { readonly min: number; readonly max: number; readonly unit: string }): z.ZodType<number> {
  const wanted = (given: unknown): string =>
    `must be a whole number of ${range.unit} from ${range.min} to ${range.max}, not ${shown(given)}`;
  return z.unknown().transform((given, context) => {
    const number = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given;
    if (typeof number === 'number' && Number.isInteger(number) && number >= range.min && number <= range.max)
      return number;
    return refuse(context, wanted(given));
  });
}

/** Milliseconds of `90s`, `1h30m` or `0`, as Go writes durations. */
export function duration({ minMs = 0, maxMs }: { readonly minMs?: number; readonly maxMs: number }): z.ZodType<number> {
  const least = minMs === 0 ? 'or 0' : `at least ${minMs}ms`;
  return z.unknown().transform((given, context) => {
    const ms = typeof given === 'number' ? given : parseDuration(typeof given === 'string' ? given : '');
    if (ms !== undefined && Number.isInteger(ms) && ms >= minMs && ms <= maxMs) return ms;
    return refuse(context, `must be a time such as 90s, 5m or 1h30m, ${least}, not ${shown(given)}`);
  });
}

/** Undefined if it is none. `0` needs no unit. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d{1,12}(\.\d{1,9})?(ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ms|s|m|h)/g)) {
    total += Number(number) * (durationUnits[unit as keyof typeof durationUnits] ?? 0);
  }
  return Math.round(total);
}

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Any text that is not empty. */
export function text(what: string): z.ZodType<string> {
  return z.unknown().transform((given, context) => {
    // A number in a YAML file is meant as text: `name: 1`.
    const value = typeof given === 'number' ? String(given) : given;
    if (typeof value !== 'string' || value.trim() === '')
      return refuse(context, `must be ${what}, not ${shown(given)}`);
    const problem = value.includes('\0') ? 'must not contain a NUL byte' : undefined;
    return problem === undefined ? value : refuse(context, problem);
  });
}

export function memberName(): z.ZodType<string> {
  return text('the name of this member').transform((name, context) => {
    const problem = invalidName(name);
    return problem === undefined ? name : refuse(context, problem);
  });
}

/** As `urls`, or an empty list. */
export function urlsOrNone(use: 'listen' | 'advertise'): z.ZodType<readonly string[]> {
  return z
    .preprocess((given) => (Array.isArray(given) && given.length === 0 ? undefined : given), urls(use).optional())
    .transform((given) => given ?? []);
}

/** `http://a:1,http://b:2`, or a list of such URLs; in normal form. */
export function urls(use: 'listen' | 'advertise'): z.ZodType<readonly string[]> {
  return z.unknown().transform((given, context) => {
    const parts = typeof given === 'string' ? given.split(',') : given;
    if (!Array.isArray(parts) || parts.length === 0 || !parts.every((part) => typeof part === 'string')) {
      return refuse(
        context,
        `must be one or more URLs such as http://localhost:2379, separated by commas, not ${shown(given)}`,
      );
    }
    const normal: string[] = [];
    for (const part of parts) {
      const parsed = parseUrl(part.trim(), use);
      if ('problem' in parsed) return refuse(context, parsed.problem);
      if (normal.includes(parsed.url)) return refuse(context, `${parsed.url} is listed twice; give it once`);
      normal.push(parsed.url);
    }
    return normal;
  });
}

/**
 * `a=http://host:1,b=http://host:2`; a name given twice has two URLs (as in etcd). Also a map of names to URLs, and what
 * `Config` holds. Sorted by name, so that every member computes the same cluster id from it.
 */
export function initialCluster(): z.ZodType<readonly InitialMember[]> {
  return z.unknown().transform((given, context) => {
    const pairs = clusterPairs(given);
    if (pairs === undefined || pairs.length === 0) {
      return refuse(
        context,
        `must be name=URL pairs such as a=http://host1:2380,b=http://host2:2380, not ${shown(given)}`,
      );
    }
    const members = new Map<string, string[]>();
    const owners = new Map<string, string>();
    for (const [name, url] of pairs) {
      const problem = invalidName(name);
      if (problem !== undefined) return refuse(context, problem);
      const parsed = parseUrl(url, 'advertise');
      if ('problem' in parsed) return refuse(context, `member "${name}": ${parsed.problem}`);
      const owner = owners.get(parsed.url);
      if (owner !== undefined) {
        const both =
          owner === name ? `member "${name}" lists it twice` : `members "${owner}" and "${name}" have the same URL`;
        return refuse(context, `${parsed.url}: ${both}; each member needs URLs of its own`);
      }
      owners.set(parsed.url, name);
      members.set(name, [...(members.get(name) ?? []), parsed.url]);
    }
    return [...members]
      .map(([name, peerUrls]) => ({ name, peerUrls }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  });
}

function clusterPairs(given: unknown): [name: string, url: string][] | undefined {
  if (typeof given === 'string') {
    const parts = given.split(',').map((part) => part.trim());
    const pairs = parts.map((part): [string, string] => [
      part.slice(0, part.indexOf('=')),
      part.slice(part.indexOf('=') + 1),
    ]);
    return parts.every((part) => part.indexOf('=') > 0) ? pairs : undefined;
  }
  const listed = z.array(z.object({ name: z.string(), peerUrls: z.array(z.string()).min(1) })).safeParse(given);
  if (listed.success)
    return listed.data.flatMap(({ name, peerUrls }) => peerUrls.map((url): [string, string] => [name, url]));
  const mapped = z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)])).safeParse(given);
  if (!mapped.success) return undefined;
  return Object.entries(mapped.data).flatMap(([name, member]) =>
    [member].flat().map((url): [string, string] => [name, url]),
  );
}

function invalidName(name: string): string | undefined {
  if (name.length === 0 || name.length > 128) return 'a member name has 1 to 128 characters';
  if (/[=,/\\\s\p{Cc}]/u.test(name) || name === '.' || name === '..') {
    return `the member name "${name}" has a space or one of = , / \\ in it, which separate names and paths; use letters, digits and -`;
  }
  return undefined;
}

function parseUrl(given: string, use: 'listen' | 'advertise'): { readonly url: string } | { readonly problem: string } {
  const example = use === 'listen' ? 'http://127.0.0.1:2379' : 'http://host1:2379';
  const shape = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i.exec(given);
  if (shape === null) return { problem: `"${given}" is not a URL; write it as ${example}` };
  const [, scheme = '', authority = '', rest = ''] = shape;
  if (scheme.toLowerCase() === 'https') {
    return {
      problem: `"${given}" asks for TLS, which is not supported; use http:// in a network you trust, or a TLS proxy`,
    };
  }
  if (scheme.toLowerCase() !== 'http')
    return { problem: `"${given}" has the scheme ${scheme}; only http is supported, as in ${example}` };
  if (authority.includes('@'))
    return { problem: `"${given}" holds a user name, which has no meaning here; leave out what is before the @` };
  if (rest !== '' && rest !== '/')
    return { problem: `"${given}" has a path or query; write only the host and port, as in ${example}` };

  const place = /^(\[[0-9a-f:.]+\]|[^:[\]]+):(\d{1,5})$/i.exec(authority);
  if (place === null) return { problem: `"${given}" needs a host and a port; write it as ${example}` };
  const port = Number(place[2]);
  if (port > 65_535) return { problem: `"${given}" has the port ${port}; ports end at 65535` };
  const host = hostOf(place[1] ?? '');
  if (host === undefined) return { problem: `"${given}" has a host that is not valid; write it as ${example}` };
  // As etcd ("expected IP in URL for binding"): a name can resolve to an address of another machine, or change.
  if (use === 'listen' && host !== 'localhost' && isIP(host.replace(/^\[|\]$/g, '')) === 0) {
    return {
      problem: `"${given}" is to be listened on, which needs an IP address or localhost; use 0.0.0.0 for all interfaces`,
    };
  }
  return { url: `http://${host}:${port}` };
}

function hostOf(host: string): string | undefined {
  try {
    return new URL(`http://${host}`).hostname;
  } catch {
    return undefined;
  }
}

function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

function shown(given: unknown): string {
  if (given === undefined || given === '') return 'empty';
  const text =
    typeof given === 'string'
      ? JSON.stringify(given)
      : inspect(given, { depth: 1, breakLength: Number.POSITIVE_INFINITY });
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
