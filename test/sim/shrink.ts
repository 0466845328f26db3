import type { Violation } from './checks/violation.ts';
import type { Fault, Plan } from './plan.ts';
import { type Outcome, run } from './run.ts';

/** Runs that one shrinking may take. */
const runsMax = 250;

/** A failing run, cut down. */
export interface Shrunk {
  readonly outcome: Outcome;
  /** How many runs it took. */
  readonly runs: number;
}

/**
 * Leaves out of a failing run what it fails without: faults first (Zeller and Hildebrandt, "Simplifying and isolating
 * failure-inducing input", 2002), then requests, clients, keys and time. A run counts as the same failure if it breaks
 * the same rule.
 */
export async function shrink(failed: Outcome): Promise<Shrunk> {
  const { violation } = failed;
  if (violation === undefined) return { outcome: failed, runs: 0 };
  const search = new Search(failed, violation);
  await search.reduceFaults();
  await search.reduceClients();
  await search.reduceFaults();
  return { outcome: search.smallest, runs: search.runs };
}

class Search {
  smallest: Outcome;
  runs = 0;
  readonly #violation: Violation;

  constructor(failed: Outcome, violation: Violation) {
    this.smallest = failed;
    this.#violation = violation;
  }

  /** In halves, then in quarters, down to single faults. */
  async reduceFaults(): Promise<void> {
    for (let parts = 2; this.smallest.plan.faults.length > 0; parts *= 2) {
      const size = Math.ceil(this.smallest.plan.faults.length / parts);
      let at = 0;
      while (at < this.smallest.plan.faults.length) {
        const { faults } = this.smallest.plan;
        const rest: readonly Fault[] = [...faults.slice(0, at), ...faults.slice(at + size)];
        if (!(await this.#fails({ ...this.smallest.plan, faults: rest }))) at += size;
      }
      if (size <= 1) return;
    }
  }

  async reduceClients(): Promise<void> {
    for (const operationsMax of [0, 5, 10, 20, 40, 80, 160]) {
      if (operationsMax >= this.smallest.plan.clients.operationsMax) break;
      if (await this.#failsWith({ operationsMax })) break;
    }
    for (const count of [1, 2, 3]) {
      if (count >= this.smallest.plan.clients.count || (await this.#failsWith({ count }))) break;
    }
    if (this.smallest.plan.clients.keys > 1) await this.#failsWith({ keys: 1 });
    const lastFaultMs = this.smallest.plan.faults.at(-1)?.atMs ?? 0;
    const safetyMs = Math.min(this.smallest.plan.safetyMs, lastFaultMs + 3000);
    await this.#fails({ ...this.smallest.plan, safetyMs });
  }

  #failsWith(clients: Partial<Plan['clients']>): Promise<boolean> {
    const { plan } = this.smallest;
    return this.#fails({ ...plan, clients: { ...plan.clients, ...clients } });
  }

  async #fails(plan: Plan): Promise<boolean> {
    if (this.runs >= runsMax) return false;
    this.runs++;
    const outcome = await run(plan);
    if (outcome.violation?.rule !== this.#violation.rule) return false;
    this.smallest = outcome;
    return true;
  }
}
