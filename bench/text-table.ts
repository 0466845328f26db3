export function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Lines of cells, each column as wide as its widest cell. */
export function aligned(lines: readonly (readonly string[])[], side: 'left' | 'right' = 'right'): string {
  const widths = lines.reduce<number[]>((widest, line) => {
    return line.map((cell, i) => Math.max(cell.length, widest[i] ?? 0));
  }, []);
  const pad = (cell: string, i: number) =>
    side === 'left' ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
  return lines.map((line) => `  ${line.map(pad).join('  ')}`.trimEnd()).join('\n');
}
