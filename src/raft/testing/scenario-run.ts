import { ScenarioCluster } from './scenario-cluster.ts';
import { runCommand } from './scenario-commands.ts';
import { Command, ScenarioMistake, type Script, type ScriptBlock } from './scenario-script.ts';

/** What each block of the script prints, from a fresh cluster on. */
export function runScript(script: Script): ReadonlyMap<ScriptBlock, readonly string[]> {
  const cluster = new ScenarioCluster();
  const outputs = new Map<ScriptBlock, readonly string[]>();
  for (const part of script.parts) {
    if (part.kind === 'block') outputs.set(part, runBlock(cluster, part));
  }
  return outputs;
}

/** The difference between what a block should print and what it does, or nothing. */
export function describeDifference(block: ScriptBlock, actual: readonly string[]): string | undefined {
  const changes = compareLines(block.expected, actual);
  if (!changes.some((line) => !line.startsWith(' '))) return undefined;
  const commands = block.input.map((line) => `  ${line}`);
  return [`line ${block.lineNumber}:`, ...commands, '  ----', ...changes].join('\n');
}

function runBlock(cluster: ScenarioCluster, block: ScriptBlock): readonly string[] {
  const lines: string[] = [];
  for (const [position, line] of block.input.entries()) {
    const command = new Command(line);
    try {
      runCommand(cluster, command);
    } catch (cause) {
      const story = [...lines, ...cluster.takeLines()].map((printed) => `\n    ${printed}`).join('');
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new ScenarioMistake(`line ${block.lineNumber + position}: ${line}${story}\n  ${message}`, { cause });
    }
    const printed = cluster.takeLines();
    if (!command.quiet) lines.push(...printed);
  }
  return lines.length > 0 ? lines : ['ok'];
}

/** The lines of both, `-` before what only `expected` has and `+` before what only `actual` has. */
function compareLines(expected: readonly string[], actual: readonly string[]): readonly string[] {
  // lengths[i][j]: the longest common subsequence of what follows expected[i] and actual[j].
  const lengths = Array.from({ length: expected.length + 1 }, () => new Array<number>(actual.length + 1).fill(0));
  const lengthAt = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = expected.length - 1; i >= 0; i--) {
    for (let j = actual.length - 1; j >= 0; j--) {
      const row = lengths[i];
      if (row === undefined) continue;
      row[j] =
        expected[i] === actual[j] ? lengthAt(i + 1, j + 1) + 1 : Math.max(lengthAt(i + 1, j), lengthAt(i, j + 1));
    }
  }
  const changes: string[] = [];
  let [i, j] = [0, 0];
  while (i < expected.length || j < actual.length) {
    if (i < expected.length && j < actual.length && expected[i] === actual[j]) {
      changes.push(`  ${expected[i]}`);
      i++;
      j++;
    } else if (j === actual.length || (i < expected.length && lengthAt(i + 1, j) >= lengthAt(i, j + 1))) {
      changes.push(`- ${expected[i++]}`);
    } else {
      changes.push(`+ ${actual[j++]}`);
    }
  }
  return changes;
}
