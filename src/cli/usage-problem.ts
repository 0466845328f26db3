import { closest } from '../server/closest.ts';

/** What yargs found, in words that say what to do. */
export function usageProblem(message: string, given: readonly string[], commandNames: readonly string[]): string {
  const command = commandNames.find((name) => name === given[0]);
  const help = command === undefined ? 'see balsa --help' : `see balsa ${command} --help`;
  const unknown = /^Unknown (?:argument|command)s?: ([^,]+)/.exec(message)?.[1];
  const choice = /Argument: (\S+), Given: (.*), Choices: (.*)$/.exec(message);
  if (choice !== null) return `--${choice[1]}: must be one of ${choice[3]?.replaceAll('"', '')}, not ${choice[2]}`;
  if (unknown === undefined) {
    return message.startsWith('Not enough non-option arguments')
      ? `balsa ${command} needs more arguments; ${help}`
      : `${message.replaceAll(/\s*\n\s*/g, ' ')}; ${help}`;
  }
  if (command === undefined) {
    const meant = closest(unknown, commandNames);
    return `there is no command "${unknown}"; ${meant === undefined ? help : `did you mean balsa ${meant}?`}`;
  }
  const written = given.find((argument) => argument.replace(/^-+/, '').split('=')[0] === unknown) ?? unknown;
  return `balsa ${command} has no ${written.startsWith('-') ? 'flag' : 'further argument'} ${written}; ${help}`;
}
