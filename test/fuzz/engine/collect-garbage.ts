import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** All of it, at once. The flag reaches contexts that are made after it was set, so that no process needs it at its start. */
export const collectGarbage = runInNewContext('gc') as () => void;
