import { awake, type Cluster, type ClusterName, type ClusterStart, remove } from '../clusters/cluster.ts';
import { type TrialResult, trialResult } from './judge.ts';
import type { Ground, Outcome, Trial, TrialOptions } from './trial.ts';

export interface Contender {
  readonly name: ClusterName;
  readonly flags: readonly string[];
  start(how?: ClusterStart): Promise<Cluster>;
}

export interface TrialRun {
  readonly trials: readonly Trial[];
  readonly options: TrialOptions;
  readonly balsa: Contender;
  /** Undefined: Balsa alone. */
  readonly etcd: Contender | undefined;
  /** Also where a trial would leave the comparison out. */
  readonly isComparisonAsked: boolean;
  say(line: string): void;
}

/** One trial after the other, one contender after the other, one cluster at a time. */
export async function runTrials(run: TrialRun): Promise<readonly TrialResult[]> {
  const results: TrialResult[] = [];
  for (const trial of run.trials) {
    const isCompared = run.isComparisonAsked || trial.isComparedByDefault(run.options);
    const balsa = await runTrial(trial, run.balsa, run);
    const etcd = run.etcd === undefined || !isCompared ? undefined : await runTrial(trial, run.etcd, run);
    results.push(trialResult({ trial, options: run.options, balsa, etcd }));
  }
  return results;
}

/** What goes wrong with one contender is its result: hours of the other's are not thrown away for it. */
async function runTrial(trial: Trial, contender: Contender, { options, say }: TrialRun): Promise<Outcome> {
  const clusters: Cluster[] = [];
  const removeAll = async (): Promise<void> => {
    for (const cluster of clusters.splice(0)) await remove(cluster);
  };
  const start = async (how?: ClusterStart): Promise<Cluster> => {
    const cluster = await contender.start(how);
    clusters.push(cluster);
    await awake(cluster);
    return cluster;
  };
  const ground: Ground = {
    options,
    startCluster: async (flags = []) => {
      await removeAll();
      return start({ flags });
    },
    startAnother: (prepare) => start({ prepare }),
    say: (line) => say(`${trial.name} ${contender.name}: ${line}`),
  };
  ground.say('three nodes start');
  try {
    return await trial.run(ground);
  } catch (reason) {
    const message = reason instanceof Error ? reason.message : String(reason);
    ground.say(`! ${message}`);
    return { figures: [], problems: [`it failed: ${message}`], details: {} };
  } finally {
    await removeAll();
  }
}
