/**
 * The text form of a scenario. Lines that start with `#` tell the story; a block is some commands, a line `----`, and
 * what the commands print, up to an empty line:
 *
 *     # Node 1 asks for the leadership.
 *     campaign 1
 *     process-ready 1
 *     ----
 *     1 state         preCandidate, no leader
 *     1 send          1->2 preVote                term=1 last=0@0
 */
export interface Script {
  readonly parts: readonly ScriptPart[];
}

export type ScriptPart = { readonly kind: 'text'; readonly lines: readonly string[] } | ScriptBlock;

export interface ScriptBlock {
  readonly kind: 'block';
  /** Of the first command; counted from 1. */
  readonly lineNumber: number;
  readonly input: readonly string[];
  readonly expected: readonly string[];
}

/** A scenario that cannot be read or run: a mistake of its author, told with the line it stands in. */
export class ScenarioMistake extends Error {
  override readonly name = 'ScenarioMistake';
}

const separator = '----';

export function parseScript(text: string): Script {
  const lines = text.replace(/\n+$/, '').split('\n');
  const parts: ScriptPart[] = [];
  let at = 0;
  while (at < lines.length) {
    const start = at;
    while (at < lines.length && isText(lines[at] ?? '')) at++;
    if (at > start) parts.push({ kind: 'text', lines: lines.slice(start, at) });
    if (at === lines.length) break;

    const inputStart = at;
    while (at < lines.length && lines[at] !== separator) {
      if (lines[at] === '') throw new ScenarioMistake(`line ${at + 1}: expected "${separator}" after the commands`);
      at++;
    }
    if (at === lines.length) throw new ScenarioMistake(`line ${at}: expected "${separator}" after the commands`);
    const input = lines.slice(inputStart, at);
    const expectedStart = ++at;
    while (at < lines.length && lines[at] !== '') at++;
    parts.push({ kind: 'block', lineNumber: inputStart + 1, input, expected: lines.slice(expectedStart, at) });
  }
  return { parts };
}

/** The script with the expected part of each block replaced by what `outputOf` gives for it. */
export function formatScript(script: Script, outputOf: (block: ScriptBlock) => readonly string[]): string {
  const lines = script.parts.flatMap((part) =>
    part.kind === 'text' ? part.lines : [...part.input, separator, ...outputOf(part)],
  );
  return `${lines.join('\n')}\n`;
}

/** One line of a block: a name, words, and `key=value` or `key=(a,b)` options. `quietly` in front hides the output. */
export class Command {
  readonly name: string;
  readonly quiet: boolean;
  readonly words: readonly string[];
  readonly #options = new Map<string, readonly string[]>();
  readonly #used = new Set<string>();

  constructor(line: string) {
    const words: string[] = [];
    for (const match of line.matchAll(/"([^"]*)"|([\w-]+)=\(([^)]*)\)|([\w-]+)=(\S+)|(\S+)/g)) {
      const [, quoted, listKey, list, key, value, word] = match;
      if (quoted !== undefined) words.push(quoted);
      else if (listKey !== undefined) this.#options.set(listKey, (list ?? '').split(/[\s,]+/).filter(Boolean));
      else if (key !== undefined) this.#options.set(key, [value ?? '']);
      else if (word !== undefined) words.push(word);
    }
    this.quiet = words[0] === 'quietly';
    if (this.quiet) words.shift();
    this.name = words.shift() ?? '';
    this.words = words;
  }

  has(key: string): boolean {
    return this.#options.has(key);
  }

  text(key: string): string | undefined {
    return this.list(key)?.[0];
  }

  list(key: string): readonly string[] | undefined {
    this.#used.add(key);
    return this.#options.get(key);
  }

  count(key: string): number | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    if (!/^\d+$/.test(text)) throw new ScenarioMistake(`${key}=${text}: expected a whole number`);
    return Number(text);
  }

  /** Says so if the line holds an option that the command never asked for: most often a misspelt one. */
  ensureAllUsed(): void {
    const unknown = [...this.#options.keys()].filter((key) => !this.#used.has(key));
    if (unknown.length > 0) throw new ScenarioMistake(`"${this.name}" has no option ${unknown.join(', ')}`);
  }
}

function isText(line: string): boolean {
  return line === '' || line.startsWith('#');
}
