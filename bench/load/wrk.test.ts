import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readSummary } from './wrk.ts';

const summary = {
  micros: 1_000_000,
  requests: 4,
  bytes: 1200,
  statusErrors: 1,
  brokenConnections: 2,
  timeouts: 0,
  latency: [
    [900, 3],
    [1000, 1],
  ],
};
const output = (line: object) => `Running 1s test @ http://127.0.0.1:1\n${JSON.stringify(line)}\n`;

it('wrk: answers with an error and broken connections are failures', () => {
  const result = readSummary(output(summary), 1);
  assert.equal(result.succeeded, 3);
  assert.equal(result.failed, 3);
  assert.equal(result.seconds, 1);
  assert.equal(result.bytesPerAnswer, 300);
  assert.equal(result.latency.percentileMillis(50), 0.9);
});

it('wrk: times that do not add up to the requests are refused', () => {
  assert.throws(() => readSummary(output({ ...summary, requests: 5 }), 1), /1 off the 5 requests/);
});

it('wrk: an output without a summary is shown', () => {
  assert.throws(() => readSummary('unable to connect', 1), /unable to connect/);
});
