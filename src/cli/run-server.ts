import { ConfigError } from '../server/config.ts';
import { type LoadedConfig, loadConfig } from '../server/load-config.ts';
import { openLog, type ProcessLog } from '../server/logger.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { adviseOnNodeVersion } from './node-version.ts';
import { expelledMessage, tellParent } from './parent-channel.ts';
import { collectGarbageEarly } from './process-memory.ts';
import { firstStopSignal } from './stop-signal.ts';

/** Runs one member of a cluster until a signal or a failure ends it. `flags` are those of `balsa serve`, as parsed. */
export async function runServer(flags: Readonly<Record<string, unknown>>): Promise<void> {
  collectGarbageEarly();
  const { config, warnings } = load(flags);
  const log = openLog({ level: config.logLevel, format: config.logFormat, member: config.name });
  endOnMistakes(log);
  const stopSignal = Promise.race([firstStopSignal((exitCode) => process.exit(exitCode)), parentLost()]);
  const runtimeAdvice = adviseOnNodeVersion(process.version);
  for (const advice of runtimeAdvice === undefined ? warnings : [runtimeAdvice, ...warnings]) {
    log.warn('configuration advice', { advice });
  }

  // Loaded here, not above: an invalid flag is answered without it, and LevelDB is loaded after the log is there.
  const { MemberExpelled, open } = await import('../server/index.ts');
  const opening = open(config, { log }).catch(async (reason: unknown) => {
    await log.close();
    throw new CommandError(textOf(reason));
  });
  const node = await Promise.race([opening, stopSignal]);
  if (typeof node === 'string') {
    // Nothing was acknowledged yet, and a start can be cut off at any point as by a crash.
    log.info('stopped before it was ready', { signal: node });
    await log.close();
    return;
  }
  const failure = node.stopped.then(
    () => undefined,
    (reason: unknown) => ({ reason }),
  );
  const ended = await Promise.race([stopSignal, failure]);
  if (typeof ended === 'object') {
    // Nothing is wrong with this process: the cluster has decided to go on without it.
    if (ended.reason instanceof MemberExpelled) {
      // Its last answer may be the one that it is removed.
      await node.stop().catch((reason: unknown) => log.warn('not stopped in order', { reason }));
      await log.close();
      await tellParent(expelledMessage);
      throw new CommandError(ended.reason.message);
    }
    await log.close();
    throw new CommandError(`had to stop: ${textOf(ended.reason)}`, exitCodes.internal);
  }
  log.info('asked to stop', { signal: ended });
  await node.stop();
  await log.close();
}

function load(parsed: Readonly<Record<string, unknown>>): LoadedConfig {
  const flags = Object.entries(parsed).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[0] !== '$0',
  );
  try {
    return loadConfig({ flags: Object.fromEntries(flags), environment: process.env });
  } catch (reason) {
    if (reason instanceof ConfigError) throw new CommandError(reason.message);
    throw reason;
  }
}

/** A process that was started with a channel, as by `balsa cluster`, does not outlive the one that holds its other end. */
function parentLost(): Promise<'parent ended'> {
  return new Promise((resolve) => {
    process.once('disconnect', () => resolve('parent ended'));
    // Only to notice its end: an open channel would keep the process alive.
    process.channel?.unref();
  });
}

/** After a mistake nothing the process holds in memory can be trusted, so that it must not acknowledge anything more. */
function endOnMistakes(log: ProcessLog): void {
  const end = (kind: string) => (reason: unknown) => {
    log.fatal(kind, { error: reason });
    process.stderr.write(
      `balsa: ${kind}: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}\n`,
    );
    log.closeSync();
    process.exit(exitCodes.internal);
  };
  process.on('uncaughtException', end('uncaught exception'));
  process.on('unhandledRejection', end('unhandled rejection'));
}

function textOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
