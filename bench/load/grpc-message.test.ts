import assert from 'node:assert/strict';
import { it } from 'node:test';
import { putRequest, rangeRequest } from './grpc-message.ts';

it('gRPC: a put is key and value behind the length of the message', () => {
  assert.equal(putRequest('a', 'bc').toString('hex'), '00' + '00000007' + '0a0161' + '12026263');
});

it('gRPC: a length above 127 takes two bytes', () => {
  const frame = putRequest('a', 'x'.repeat(256));
  assert.equal(frame.subarray(0, 11).toString('hex'), '00' + '00000106' + '0a0161' + '128002');
  assert.equal(frame.length, 5 + 0x106);
});

it('gRPC: a get is the key, and says if a stale answer will do', () => {
  assert.equal(rangeRequest('a', { serializable: false }).toString('hex'), '00' + '00000003' + '0a0161');
  assert.equal(rangeRequest('a', { serializable: true }).toString('hex'), '00' + '00000005' + '0a0161' + '3801');
});
