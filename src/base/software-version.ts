/**
 * Whether version `one` (`0.1.7`) is older than `other` (`0.2`), by the parts that both name. What is no version is as
 * old as can be.
 */
export function isOlder(one: string, other: string): boolean {
  const [mine, theirs] = [partsOf(one), partsOf(other)];
  for (let i = 0; i < Math.min(mine.length, theirs.length); i++) {
    const difference = (mine[i] as number) - (theirs[i] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** `0.2` of `0.2.1`: within it members understand each other. Undefined for what is no version. */
export function minorOf(version: string): string | undefined {
  return /^(\d{1,9}\.\d{1,9})(\.|$)/.exec(version)?.[1];
}

function partsOf(version: string): readonly number[] {
  const [, ...parts] = /^(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?/.exec(version) ?? ['', '0', '0', '0'];
  return parts.filter((part) => part !== undefined).map(Number);
}
