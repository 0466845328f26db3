/** Cannot be in an argument, so that it cannot be mistaken for a part of one. */
const mark = '\0';

/**
 * Marks what must reach a command as it is: everything after `--`, and `-` for standard input. yargs 18 takes the former
 * for no arguments of a command at all, and turns the latter into an empty text.
 */
export function markLiterals(given: readonly string[]): string[] {
  const end = given.indexOf('--');
  const [before, after] = end === -1 ? [given, []] : [given.slice(0, end), given.slice(end + 1)];
  return [
    ...before.map((argument) => (argument === '-' ? mark + argument : argument)),
    ...after.map((argument) => mark + argument),
  ];
}

/** Takes the marks off what was parsed, in place: yargs hands the same object to the command. */
export function unmarkLiterals(parsed: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value === 'string' && value.startsWith(mark)) parsed[name] = value.slice(mark.length);
  }
}
