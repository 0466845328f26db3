import { backupTrial } from './backup.ts';
import { catchUpTrial } from './catch-up.ts';
import { failoverTrial } from './failover.ts';
import { fanOutTrial } from './fan-out.ts';
import { historyTrial } from './history.ts';
import { keysTrial } from './keys.ts';
import { soakTrial } from './soak.ts';
import type { Trial } from './trial.ts';
import { watchersTrial } from './watchers.ts';

export const trials: readonly Trial[] = [
  keysTrial,
  historyTrial,
  watchersTrial,
  fanOutTrial,
  failoverTrial,
  catchUpTrial,
  backupTrial,
  soakTrial,
];
