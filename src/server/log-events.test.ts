import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('..', import.meta.url));

/** Of the rooms that write the journal; the two that pass on what others say are left out. */
function sources(): { readonly name: string; readonly text: string }[] {
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|testing\/|^ui\/|logger\.ts$|seldom-log\.ts$/.test(name))
    .map((name) => ({ name, text: readFileSync(join(source, name), 'utf8') }));
}

/** Every event that some line of the code logs, and where. */
function loggedEvents(): Map<string, string> {
  const events = new Map<string, string>();
  for (const { name, text } of sources()) {
    const withoutTemplates = text.replace(/`[^`]*`/g, 'undefined');
    const calls = /\b(?:log|logger|seldomLog)\.(?:debug|info|warn|error|fatal)\(([^{;]*)/g;
    for (const [, args = ''] of withoutTemplates.matchAll(calls)) {
      const literal = [...args.matchAll(/'([^']+)'/g)].at(-1)?.[1];
      if (literal !== undefined) events.set(literal, name);
      else for (const value of valuesOf(args, text)) events.set(value, name);
    }
    // The last words of a process, by what ended it.
    for (const [, event = ''] of text.matchAll(/process\.on\('\w+', end\('([^']+)'\)\)/g)) events.set(event, name);
  }
  return events;
}

/** The texts that a constant of the file can have, which is named in the arguments. */
function valuesOf(args: string, text: string): string[] {
  return [...args.matchAll(/\w+/g)].flatMap(([word]) => {
    const [, declared = ''] = new RegExp(`const ${word} = ([^;]+);`).exec(text) ?? [];
    return [...declared.matchAll(/'([^']+)'/g)].map(([, value = '']) => value);
  });
}

test('log: every event is in docs/events.md, and nothing else is', () => {
  const documented = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');
  const rows = new Set([...documented.matchAll(/^\| `([^`]+)` \|/gm)].map(([, event = '']) => event));
  const logged = loggedEvents();
  assert.ok(logged.size > 30, `only ${logged.size} events were found`);
  assert.deepEqual(
    [...logged].filter(([event]) => !rows.has(event)),
    [],
    'not documented',
  );
  assert.deepEqual(
    [...rows].filter((event) => !logged.has(event)),
    [],
    'documented, and logged nowhere',
  );
});
