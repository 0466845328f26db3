import { measureStoppedReaders, stoppedReaderFigures } from './stopped-readers.ts';
import type { Ground, Outcome, Trial } from './trial.ts';
import { watchFigures, writeToWatchers } from './watched-writes.ts';

/** Very many watchers on one node, and then watchers that do not read. Each part has a cluster of its own. */
export const watchersTrial: Trial = {
  name: 'watchers',
  title: 'Very many watchers on one node',
  notes: [
    'All watchers are on one follower, each on a key of its own; 100 writes a second go to the leader at fixed times, spread over the keys. Every watcher has to get exactly the events of its key. Balsa: a connection each, text/event-stream over HTTP/1.1. etcd: a gRPC stream each, 100 streams a connection, which costs etcd less than a connection each.',
    'Times to delivery end in the watching process, which shares the cores with the nodes. From commit: from the acknowledgement of the put in the writing process; an event may come before it, and the time is negative then. From sending: includes the write.',
    'Stopped readers watch one prefix on a follower and stop reading; what they add is the highest resident memory of that node while events are written past them, and 4 s after, less the highest by as many writes just before without them: the writes themselves move it by some 60 MiB.',
  ],
  goals: () => [
    { title: 'p99 from commit to delivery below 100 ms', figure: watchFigures.p99FromCommit, below: 100 },
    { title: 'stopped readers: they add less than 50 MiB', figure: stoppedReaderFigures.added, below: 50 },
  ],
  isComparedByDefault: () => true,
  run,
};

async function run(ground: Ground): Promise<Outcome> {
  const watched = await writeToWatchers(ground, await ground.startCluster());
  const stopped = await measureStoppedReaders(ground, await ground.startCluster());
  return {
    figures: [...watched.figures, ...stopped.figures],
    problems: [...watched.problems, ...stopped.problems],
    details: { watched: watched.details, stopped: stopped.details },
  };
}
