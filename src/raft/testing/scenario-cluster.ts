import type { Random } from '../../base/random.ts';
import { seededRandom } from '../../base/random.ts';
import type { Entry, HardState, LogIndex, MemberId, Message, Term } from '../types.ts';
import { describeAct, describeMessage } from './scenario-describe.ts';
import { ScenarioNetwork } from './scenario-network.ts';
import { ScenarioNode, type ScenarioNodeOptions } from './scenario-node.ts';
import { ScenarioSafety } from './scenario-safety.ts';
import { ScenarioMistake } from './scenario-script.ts';

/** What a node finds on its disk when the scenario begins. */
export interface ScenarioPast {
  readonly hardState: HardState;
  /** The terms of its entries from index 1. The term of an index and the index make its data, alike on every node. */
  readonly terms: readonly Term[];
  readonly appliedIndex: LogIndex;
}

/** More rounds than any scenario takes to come to rest. */
const stabilizeRoundsMax = 100;

/**
 * Some nodes, the network between them, and the record of what happens. Nothing happens by itself, and nothing by
 * chance: the same commands always print the same lines.
 */
export class ScenarioCluster {
  readonly network = new ScenarioNetwork();
  readonly #nodes = new Map<MemberId, ScenarioNode>();
  readonly #safety = new ScenarioSafety(this.#nodes);
  /** The election timeout that a node gets the next time it draws one. */
  readonly #electionTimeouts = new Map<MemberId, number>();
  #lines: string[] = [];

  print(line: string): void {
    this.#lines.push(line);
  }

  takeLines(): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  ids(): readonly MemberId[] {
    return [...this.#nodes.keys()];
  }

  node(id: MemberId): ScenarioNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new ScenarioMistake(`there is no node ${id}; add-nodes comes first`);
    return node;
  }

  nodes(ids: readonly MemberId[] = this.ids()): readonly ScenarioNode[] {
    return ids.map((id) => this.node(id));
  }

  /** With a seed, the node's election timeouts are drawn by chance; without, they are what the scenario sets. */
  addNode(options: ScenarioNodeOptions, past: ScenarioPast, seed: number | undefined): void {
    const { id, electionTicks } = options;
    if (this.#nodes.has(id)) throw new ScenarioMistake(`there is a node ${id} already`);
    this.#electionTimeouts.set(id, electionTicks + this.#nodes.size);
    const random = seed === undefined ? this.#pinnedRandom(id, electionTicks) : seededRandom(seed);
    const node = new ScenarioNode(options, random, {
      safety: this.#safety,
      print: (line) => this.print(line),
      send: (message) => this.network.send(message),
    });
    node.disk.write({ hardState: past.hardState, entries: past.terms.map(presetEntry) });
    this.#nodes.set(id, node);
    this.#safety.checkLogs();
    node.start(past.appliedIndex);
  }

  setElectionTimeout(id: MemberId, ticks: number): void {
    this.node(id);
    this.#electionTimeouts.set(id, ticks);
  }

  deliver(messages: readonly Message[]): void {
    for (const message of messages) {
      const node = this.node(message.to);
      if (node.isUp) node.receive(message);
      else this.print(describeAct(message.to, 'down', `${describeMessage(message)} (lost)`));
    }
  }

  /** Handles Readys and delivers messages, node by node in turn, until none of the nodes has anything to do. */
  stabilize(ids: readonly MemberId[]): void {
    for (let round = 0; round < stabilizeRoundsMax; round++) {
      let isAtRest = true;
      for (const node of this.nodes(ids)) {
        while (node.hasWork) {
          node.processReady();
          isAtRest = false;
        }
      }
      for (const to of ids) {
        const messages = this.network.take({ to });
        this.deliver(messages);
        if (messages.length > 0) isAtRest = false;
      }
      if (isAtRest) return;
    }
    throw new ScenarioMistake(`the nodes do not come to rest in ${stabilizeRoundsMax} rounds`);
  }

  /** The core draws from 0 up to electionTicks and adds it to electionTicks. */
  #pinnedRandom(id: MemberId, electionTicks: number): Random {
    return {
      below: (bound) => Math.min((this.#electionTimeouts.get(id) ?? electionTicks) - electionTicks, bound - 1),
    };
  }
}

/** The entry behind `position` others. Its data says what it is, so that equal places hold equal entries. */
export function presetEntry(term: Term, position: number): Entry {
  const index = position + 1;
  return { term, index, type: 'command', data: Buffer.from(`${index}@${term}`) };
}
