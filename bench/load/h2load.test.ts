import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readReport } from './h2load.ts';

const output = `starting benchmark...
finished in 3.01s, 15780.00 req/s, 1.14MB/s
requests: 5 total, 7 started, 5 done, 4 succeeded, 1 failed, 1 errored, 0 timeout
status codes: 4 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 1.46KB (1500) total, 93.21KB (95448) headers (space savings 94.69%), 1.49MB (1562220) data
`;

it('h2load: counts come from its summary, times from its log', () => {
  const log = ['10\t200\t900', '20\t200\t1100', '25\t-1\t99999', '30\t200\t1000', '40\t200\t5000', ''].join('\n');
  const result = readReport(output, log, 2);
  assert.equal(result.succeeded, 4);
  assert.equal(result.failed, 1);
  assert.equal(result.seconds, 2);
  assert.equal(result.bytesPerAnswer, 300);
  assert.equal(result.latency.total, 4, 'a failed request has no time');
  assert.equal(result.latency.percentileMillis(50), 1);
  assert.equal(result.latency.percentileMillis(100), 5);
});

it('h2load: an output without a summary is shown', () => {
  assert.throws(() => readReport('no such host', '', 2), /no such host/);
});
