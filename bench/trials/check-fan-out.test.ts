import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkFanOut } from './check-fan-out.ts';

/** Writes 0 and 1 were under way together, write 2 came after both, write 3 failed. */
const report = {
  sentMicros: Float64Array.of(10, 15, 40, 60),
  acknowledgedMicros: Float64Array.of(20, 30, 50, Number.NaN),
};

function check(sequences: readonly (readonly number[])[], expected: readonly string[]): void {
  const deliveries = sequences.map((writes, watcher) => ({
    watchedIndex: new Float64Array(writes.length).fill(watcher),
    write: Float64Array.from(writes),
    deliveredMicros: new Float64Array(writes.length),
  }));
  assert.deepEqual(checkFanOut({ watchers: 2, deliveries, report }), expected);
}

describe('events of one key', () => {
  it('are complete when each watcher got each acknowledged write once', () =>
    check(
      [
        [0, 1, 2],
        [0, 1, 2],
      ],
      [],
    ));

  it('of writes under way together may come in any order that is the same for all', () => {
    check(
      [
        [1, 0, 2],
        [1, 0, 2],
      ],
      [],
    );
    check(
      [
        [0, 1, 2],
        [1, 0, 2],
      ],
      ['1 events came after a later one'],
    );
  });

  it('of a write that was sent later come later', () => {
    check(
      [
        [0, 2, 1],
        [0, 2, 1],
      ],
      ['1 events came after a later one'],
    );
  });

  it('may include a write whose put failed', () =>
    check(
      [
        [0, 1, 2, 3],
        [0, 1, 2, 3],
      ],
      [],
    ));

  it('that are missing are counted for each watcher', () => {
    check(
      [
        [0, 2],
        [0, 1],
      ],
      ['2 events did not come'],
    );
    check([[0, 1, 2]], ['3 events did not come']);
  });

  it('that come twice are counted', () =>
    check(
      [
        [0, 1, 2],
        [0, 1, 2, 2],
      ],
      ['1 events came again'],
    ));

  it('of no write are counted', () =>
    check(
      [
        [0, 1, 2, 4],
        [Number.NaN, 0, 1, 2],
      ],
      ['2 events came of no write'],
    ));
});
