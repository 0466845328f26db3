import type { Deliveries } from '../generator/commands.ts';

export interface DeliveryEvidence {
  readonly deliveries: readonly Deliveries[];
  /** By number of the write; NaN where the put failed, whose event may or may not have come. */
  readonly acknowledgedMicros: Float64Array;
  /** Which key, of as many as there are watchers, has this place in the order of writes. */
  readonly indexAt: (place: number) => number;
}

/** Every acknowledged write has to come to the watcher of its key: once, nowhere else, and in order. */
export function checkDeliveries({ deliveries, acknowledgedMicros, indexAt }: DeliveryEvidence): readonly string[] {
  const times = new Uint32Array(acknowledgedMicros.length);
  const lastWrite = new Map<number, number>();
  let foreign = 0;
  let disordered = 0;
  for (const { watchedIndex, write } of deliveries) {
    for (const [i, number] of write.entries()) {
      const watched = watchedIndex[i] ?? Number.NaN;
      if (!(number < times.length) || indexAt(number) !== watched) {
        foreign++;
        continue;
      }
      times[number] = (times[number] ?? 0) + 1;
      if (number < (lastWrite.get(watched) ?? -1)) disordered++;
      lastWrite.set(watched, number);
    }
  }
  const missing = times.filter((count, number) => count === 0 && !Number.isNaN(acknowledgedMicros[number])).length;
  const repeated = times.filter((count) => count > 1).length;
  return [
    ...(missing === 0 ? [] : [`${missing} events did not come`]),
    ...(repeated === 0 ? [] : [`${repeated} events came more than once`]),
    ...(foreign === 0 ? [] : [`${foreign} events came to a watcher of another key`]),
    ...(disordered === 0 ? [] : [`${disordered} events came after a later one of the same key`]),
  ];
}
