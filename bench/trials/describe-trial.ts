import { aligned, thousands } from '../text-table.ts';
import type { ComparedFigure, TrialResult, TrialVerdict } from './judge.ts';

/** A table of figures, what was wrong with them, and the verdicts. */
export function describeTrial({ title, figures, verdicts, problems, notes }: TrialResult): string {
  const hasEtcd = figures.some(({ etcd }) => !Number.isNaN(etcd));
  const head = ['', '', 'balsa', ...(hasEtcd ? ['etcd', 'balsa / etcd'] : [])];
  return [
    `${title}\n${aligned([head, ...figures.map((figure) => cells(figure, hasEtcd))])}`,
    ...problemLines('balsa', problems.balsa),
    ...problemLines('etcd', problems.etcd),
    aligned(verdicts.map(verdictCells), 'left'),
    notes.map((note) => `- ${note}`).join('\n'),
  ].join('\n\n');
}

function cells({ name, unit, balsa, etcd, ratio }: ComparedFigure, hasEtcd: boolean): readonly string[] {
  return [name, unit, figure(balsa), ...(hasEtcd ? [figure(etcd), figure(ratio)] : [])];
}

function problemLines(name: string, problems: readonly string[]): readonly string[] {
  return problems.length === 0 ? [] : [problems.map((problem) => `  ! ${name}: ${problem}`).join('\n')];
}

function verdictCells({ goal, value, unit, outcome }: TrialVerdict): readonly string[] {
  return [outcome, goal.title, `${figure(value)} ${unit}`.trim()];
}

/** Three digits that count. */
function figure(value: number): string {
  if (Number.isNaN(value)) return '–';
  if (Math.abs(value) >= 100) return thousands(value);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
