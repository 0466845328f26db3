/** For people with curl, before all; programs read it as well. */
export function prettyJson(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
