import type { Deliveries, WriteReport } from '../generator/commands.ts';

export interface FanOutEvidence {
  readonly watchers: number;
  readonly deliveries: readonly Deliveries[];
  /** By number of the write; NaN for a number that none has. */
  readonly report: Pick<WriteReport, 'sentMicros' | 'acknowledgedMicros'>;
}

/**
 * Every acknowledged write of the one key has to come to each watcher once, to all in the same order, and one that was
 * sent when another was acknowledged has to come after it. Writes that were under way together have no order of their own.
 */
export function checkFanOut({ watchers, deliveries, report }: FanOutEvidence): readonly string[] {
  const sequences = sequencesOf(watchers, deliveries);
  const order = sequences[0] ?? [];
  const placeOf = new Map(order.map((write, place) => [write, place]));
  let [missing, repeated, foreign, disordered] = [0, 0, 0, disorderedIn(order, report)];
  for (const sequence of sequences) {
    const times = new Uint8Array(report.sentMicros.length);
    let last = -1;
    for (const write of sequence) {
      if (Number.isNaN(report.sentMicros[write] ?? Number.NaN)) {
        foreign++;
        continue;
      }
      if (times[write] === 0) times[write] = 1;
      else repeated++;
      const place = placeOf.get(write) ?? last;
      if (place < last) disordered++;
      last = Math.max(last, place);
    }
    missing += times.filter((count, write) => count === 0 && !Number.isNaN(report.acknowledgedMicros[write])).length;
  }
  return [
    ...(missing === 0 ? [] : [`${missing} events did not come`]),
    ...(repeated === 0 ? [] : [`${repeated} events came again`]),
    ...(foreign === 0 ? [] : [`${foreign} events came of no write`]),
    ...(disordered === 0 ? [] : [`${disordered} events came after a later one`]),
  ];
}

/** The writes that came to each watcher, as they came. */
function sequencesOf(watchers: number, deliveries: readonly Deliveries[]): readonly (readonly number[])[] {
  const sequences = Array.from({ length: watchers }, (): number[] => []);
  for (const { watchedIndex, write } of deliveries) {
    for (const [i, watcher] of watchedIndex.entries()) sequences[watcher]?.push(write[i] ?? Number.NaN);
  }
  return sequences;
}

/** Writes that were acknowledged before one was sent that came before them. */
function disorderedIn(order: readonly number[], { sentMicros, acknowledgedMicros }: FanOutEvidence['report']): number {
  let lastSent = Number.NEGATIVE_INFINITY;
  let disordered = 0;
  for (const write of order) {
    if ((acknowledgedMicros[write] ?? Number.NaN) < lastSent) disordered++;
    lastSent = Math.max(lastSent, sentMicros[write] ?? lastSent);
  }
  return disordered;
}
