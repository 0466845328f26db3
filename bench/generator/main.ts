import { Attempts } from './attempts.ts';
import type { Commands } from './commands.ts';
import { fanOut } from './fan-out.ts';
import { loadKeys } from './load-keys.ts';
import { MixedLoad } from './mixed-load.ts';
import { readLatency } from './read-latency.ts';
import { RunningWrites } from './running-writes.ts';
import { verifyKeys } from './verify-keys.ts';
import { WatchSet } from './watch-set.ts';
import { writeAtRate } from './write-at-rate.ts';

/** The process behind `GeneratorProcess`: takes one command after the other from its parent, and ends with it. */

const watches = new WatchSet();
const writes = new RunningWrites();
const attempts = new Attempts();
const mixed = new MixedLoad();

const commands: Commands = {
  load: loadKeys,
  verify: verifyKeys,
  read: readLatency,
  write: (job) => writeAtRate(job),
  beginWrites: async (job) => writes.begin(job),
  endWrites: () => writes.end(),
  beginAttempts: async (job) => attempts.begin(job),
  firstAcknowledged: (sentAfterMicros) => attempts.firstAcknowledged(sentAfterMicros),
  endAttempts: () => attempts.end(),
  saturate: (job) => mixed.saturate(job, job),
  beginMixed: async (job) => mixed.begin(job, job.perSecond),
  takeMixed: async () => mixed.take(),
  endMixed: () => mixed.end(),
  openWatches: (job) => watches.open(job),
  fanOut: (job) => fanOut(job, watches),
  pauseWatches: async () => watches.pause(),
  resumeWatches: async (count) => watches.resume(count),
  watchState: async () => watches.state(),
  takeDeliveries: async () => watches.takeDeliveries(),
};

process.on('message', (message: { readonly command: keyof Commands; readonly argument: never }) => {
  commands[message.command](message.argument).then(
    (result) => process.send?.({ result }),
    (reason: unknown) => process.send?.({ failure: reason instanceof Error ? reason.message : String(reason) }),
  );
});
process.on('disconnect', () => process.exit());
