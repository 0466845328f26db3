import { escapeControls } from '../server/escape-controls.ts';

/** What the process tells its caller. Scripts depend on them: a code never gets a second meaning. */
export const exitCodes = {
  ok: 0,
  /** Wrong usage or configuration, a start or a request that failed; the line on standard error says which. */
  failed: 1,
  keyNotFound: 3,
  conditionFailed: 4,
  /** The write may or may not have happened. */
  outcomeUnknown: 5,
  /** A mistake in Balsa itself (EX_SOFTWARE of sysexits.h). */
  internal: 70,
} as const;

/** Ends a command with one line on standard error. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(escapeControls(message));
    this.exitCode = exitCode;
  }
}
