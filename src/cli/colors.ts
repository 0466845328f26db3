/** ANSI colours, where the terminal shows them and the user has not refused them (https://no-color.org). */
export interface Colors {
  member(index: number, text: string): string;
  dim(text: string): string;
  bold(text: string): string;
  warn(text: string): string;
  error(text: string): string;
}

export function colorsFor(terminal: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): Colors {
  const isColored = environment['FORCE_COLOR']
    ? environment['FORCE_COLOR'] !== '0'
    : terminal.isTTY === true && !environment['NO_COLOR'];
  const paint = (code: number) => (text: string) => (isColored ? `\u001B[${code}m${text}\u001B[0m` : text);
  const members = [36, 35, 33, 32, 34].map(paint);
  return {
    member: (index, text) => members[index % members.length]?.(text) ?? text,
    dim: paint(2),
    bold: paint(1),
    warn: paint(33),
    error: paint(31),
  };
}
