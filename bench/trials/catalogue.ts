import { backupTrial } from './backup.ts';
import { catchUpTrial } from './catch-up.ts';
import { historyTrial } from './history.ts';
import { keysTrial } from './keys.ts';
import { soakTrial } from './soak.ts';
import type { Trial } from './trial.ts';
import { watchersTrial } from './watchers.ts';

export const trials: readonly Trial[] = [keysTrial, historyTrial, watchersTrial, catchUpTrial, backupTrial, soakTrial];
