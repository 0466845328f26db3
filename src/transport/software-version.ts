/**
 * Whether software of version `one` (`0.1.7`) is older than `other` (`0.2`), by the parts that both name. What is no
 * version is as old as can be.
 */
export function isOlder(one: string, other: string): boolean {
  const [mine, theirs] = [partsOf(one), partsOf(other)];
  for (let i = 0; i < Math.min(mine.length, theirs.length); i++) {
    const difference = (mine[i] as number) - (theirs[i] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function partsOf(version: string): readonly number[] {
  const match = /^(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?/.exec(version);
  return match === null
    ? [0, 0, 0]
    : match
        .slice(1)
        .filter((part) => part !== undefined)
        .map(Number);
}
