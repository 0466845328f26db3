import type { Figure, Outcome, Trial, TrialGoal, TrialOptions } from './trial.ts';

/** One figure of both contenders; NaN where it was not measured. */
export interface ComparedFigure {
  readonly name: string;
  readonly unit: string;
  readonly balsa: number;
  readonly etcd: number;
  /** Balsa's divided by etcd's; more is better of a rate, less of a time or of memory. */
  readonly ratio: number;
}

export interface TrialVerdict {
  readonly goal: TrialGoal;
  /** Balsa's figure, or the ratio that the goal is about; NaN if it was not measured. */
  readonly value: number;
  readonly unit: string;
  readonly outcome: 'PASS' | 'MISSED' | 'NOT MEASURED' | 'NOT TRUSTWORTHY';
}

export interface TrialResult {
  readonly trial: string;
  readonly title: string;
  readonly notes: readonly string[];
  readonly figures: readonly ComparedFigure[];
  readonly verdicts: readonly TrialVerdict[];
  readonly problems: { readonly balsa: readonly string[]; readonly etcd: readonly string[] };
  readonly details: { readonly balsa: unknown; readonly etcd: unknown };
}

export interface TrialOutcomes {
  readonly trial: Pick<Trial, 'name' | 'title' | 'notes' | 'goals'>;
  readonly options: TrialOptions;
  readonly balsa: Outcome;
  readonly etcd: Outcome | undefined;
}

export function trialResult({ trial, options, balsa, etcd }: TrialOutcomes): TrialResult {
  return {
    trial: trial.name,
    title: trial.title,
    notes: trial.notes,
    figures: compare(balsa.figures, etcd?.figures ?? []),
    verdicts: trial.goals(options).map((goal) => judge(goal, balsa, etcd)),
    problems: { balsa: balsa.problems, etcd: etcd?.problems ?? [] },
    details: { balsa: balsa.details, etcd: etcd?.details },
  };
}

function compare(balsa: readonly Figure[], etcd: readonly Figure[]): readonly ComparedFigure[] {
  // If one of them failed there are still the other's figures to show.
  const names = balsa.length > 0 ? balsa : etcd;
  return names.map(({ name, unit }) => {
    const [ours, theirs] = [figureOf(balsa, name), figureOf(etcd, name)];
    return { name, unit, balsa: ours, etcd: theirs, ratio: ours / theirs };
  });
}

const ratioUnit = '× etcd';

function judge(goal: TrialGoal, balsa: Outcome, etcd: Outcome | undefined): TrialVerdict {
  const own = figureOf(balsa.figures, goal.figure);
  if ('below' in goal) {
    const unit = balsa.figures.find(({ name }) => name === goal.figure)?.unit ?? '';
    return { goal, value: own, unit, outcome: outcomeOf(goal, own, balsa.problems) };
  }
  const value = own / figureOf(etcd?.figures ?? [], goal.figure);
  const problems = [...balsa.problems, ...(etcd?.problems ?? [])];
  return { goal, value, unit: ratioUnit, outcome: outcomeOf(goal, value, problems) };
}

/** A goal that was missed is missed whatever else went wrong; it is met only by figures that can be trusted. */
function outcomeOf(goal: TrialGoal, value: number, problems: readonly string[]): TrialVerdict['outcome'] {
  if (Number.isNaN(value)) return 'NOT MEASURED';
  if (!isWithin(goal, value)) return 'MISSED';
  return problems.length === 0 ? 'PASS' : 'NOT TRUSTWORTHY';
}

function isWithin(goal: TrialGoal, value: number): boolean {
  if ('below' in goal) return value < goal.below;
  return 'ratioAtMost' in goal ? value <= goal.ratioAtMost : value >= goal.ratioAtLeast;
}

function figureOf(figures: readonly Figure[], wanted: string): number {
  return figures.find(({ name }) => name === wanted)?.value ?? Number.NaN;
}
