import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMetrics, quantileBetween } from './metrics-text.ts';

const page = (fast: number, slow: number): string => `# HELP took_seconds How long.
# TYPE took_seconds histogram
took_seconds_bucket{le="0.001",outcome="done"} ${fast}
took_seconds_bucket{le="0.01",outcome="done"} ${fast + slow}
took_seconds_bucket{le="+Inf",outcome="done"} ${fast + slow}
took_seconds_sum{outcome="done"} 1.5
took_seconds_bucket{le="0.001",outcome="refused"} 9000
reads_total 7
`;

test('metrics: what is asked for is read, whatever its labels', () => {
  const samples = parseMetrics(page(3, 1), (_name, labels) => !labels.includes('refused'));
  assert.equal(samples.sums.get('reads_total'), 7);
  assert.deepEqual(samples.buckets.get('took_seconds_bucket'), [
    [0.001, 3],
    [0.01, 4],
    [Number.POSITIVE_INFINITY, 4],
  ]);
});

test('metrics: a quantile is that of the time between two samples', () => {
  const all = (): boolean => true;
  const pick = (_name: string, labels: string): boolean => !labels.includes('refused');
  const [before, after] = [parseMetrics(page(1000, 0), pick), parseMetrics(page(1000, 100), pick)];
  assert.equal(quantileBetween(before, after, 'took_seconds_bucket', 0.5)?.toFixed(4), '0.0055');
  assert.equal(quantileBetween(after, after, 'took_seconds_bucket', 0.5), undefined);
  assert.equal(quantileBetween(parseMetrics('', all), parseMetrics('', all), 'took_seconds_bucket', 0.5), undefined);
});
