import { closest } from '../server/closest.ts';

/** What yargs found, in words that say what to do. */
export function usageProblem(message: string, given: readonly string[], commandNames: readonly string[]): string {
  const command = commandOf(given, commandNames);
  const help = command === undefined ? 'see balsa --help' : `see balsa ${command} --help`;
  const unknown = /^Unknown (?:argument|command)s?: ([^,]+)/.exec(message)?.[1];
  const choice = /Argument: (\S+), Given: (.*), Choices: (.*)$/.exec(message);
  if (choice !== null) return `--${choice[1]}: must be one of ${choice[3]?.replaceAll('"', '')}, not ${choice[2]}`;
  const actionProblem = problemOfAction(given, commandNames);
  if (actionProblem !== undefined) return actionProblem;
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

/** Of a command with actions, such as `lease`: none is given, or one that it does not have. */
function problemOfAction(given: readonly string[], commandNames: readonly string[]): string | undefined {
  const [command = '', action = ''] = given;
  const actions = commandNames.filter((name) => name.startsWith(`${command} `)).map((name) => name.split(' ')[1] ?? '');
  if (actions.length === 0 || actions.includes(action)) return undefined;
  if (given.length === 1) return `say what to do: balsa ${command} ${actions.join('|')}; see balsa ${command} --help`;
  if (action.startsWith('-')) return undefined;
  const meant = closest(action, actions);
  const hint = meant === undefined ? `see balsa ${command} --help` : `did you mean balsa ${command} ${meant}?`;
  return `there is no command "${command} ${action}"; ${hint}`;
}

/** The command that was given, with its second word if it has one; undefined if there is none of that name. */
export function commandOf(given: readonly string[], commandNames: readonly string[]): string | undefined {
  const [first = '', second = ''] = given;
  return [`${first} ${second}`, first].find((name) => commandNames.includes(name));
}
