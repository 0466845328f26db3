import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkDeliveries } from './check-deliveries.ts';

/** Two watchers; write 0 and 2 are for watcher 0, write 1 and 3 for watcher 1. Write 3 failed. */
const acknowledgedMicros = Float64Array.of(10, 20, 30, Number.NaN);

function check(events: readonly (readonly [watched: number, write: number])[], expected: readonly string[]): void {
  const deliveries = {
    watchedIndex: Float64Array.from(events.map(([watched]) => watched)),
    write: Float64Array.from(events.map(([, write]) => write)),
    deliveredMicros: new Float64Array(events.length),
  };
  assert.deepEqual(
    checkDeliveries({ deliveries: [deliveries], acknowledgedMicros, indexAt: (place) => place % 2 }),
    expected,
  );
}

describe('deliveries', () => {
  it('are complete when each acknowledged write came once', () =>
    check(
      [
        [1, 1],
        [0, 0],
        [0, 2],
      ],
      [],
    ));

  it('may include a write whose put failed', () =>
    check(
      [
        [0, 0],
        [0, 2],
        [1, 1],
        [1, 3],
      ],
      [],
    ));

  it('that are missing are counted', () => check([[0, 2]], ['2 events did not come']));

  it('that come twice are counted', () =>
    check(
      [
        [0, 0],
        [0, 2],
        [1, 1],
        [1, 1],
      ],
      ['1 events came more than once'],
    ));

  it('to the wrong watcher are no deliveries', () =>
    check(
      [
        [0, 0],
        [0, 2],
        [0, 1],
      ],
      ['1 events did not come', '1 events came to a watcher of another key'],
    ));

  it('of values that no write had are no deliveries', () =>
    check(
      [
        [0, 0],
        [0, 2],
        [1, 1],
        [1, Number.NaN],
      ],
      ['1 events came to a watcher of another key'],
    ));

  it('have an order', () =>
    check(
      [
        [0, 2],
        [0, 0],
        [1, 1],
      ],
      ['1 events came after a later one of the same key'],
    ));
});
