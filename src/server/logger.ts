import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { openLogOutput } from './log-output.ts';
import type { LogFormat, LogLevel } from './options.ts';

export type Facts = Readonly<Record<string, unknown>>;

/**
 * The journal of a member: one line per thing that happened, with a constant name for each kind of it (`event`) and the
 * facts beside it. Calling it never waits and never throws, whatever became of the reader of the lines.
 */
export interface Log {
  debug(event: string, facts?: Facts): void;
  info(event: string, facts?: Facts): void;
  warn(event: string, facts?: Facts): void;
  error(event: string, facts?: Facts): void;
  /** For the last line of a process that cannot go on; etcd's `panic` and `fatal`. */
  fatal(event: string, facts?: Facts): void;
  /** A log whose lines all carry `facts` as well. */
  child(facts: Facts): Log;
}

/** The log of a process, and its end. */
export interface ProcessLog extends Log {
  /** Lines that were given up because nobody read fast enough. */
  readonly droppedLines: number;
  /** Gives the lines still in memory a moment to leave. */
  close(): Promise<void>;
  /** For a process that must not turn its event loop again: writes what can be written at once. */
  closeSync(): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** The member's name, on every line. */
  readonly member: string;
  /** 1, standard output, unless a test reads the lines. */
  readonly fd?: number;
  readonly isTerminal?: boolean;
}

/** For embedding programs that want no lines. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  fatal: () => undefined,
  child: () => silentLog,
};

/**
 * JSON, one object a line: `{"level":"info","time":"2030-01-01T00:00:00.000Z","member":"node1","event":"…", …facts}`.
 * `auto` is pretty for people at a terminal and JSON for everything else.
 */
export function openLog(options: LogOptions): ProcessLog {
  const isTerminal = options.isTerminal ?? process.stdout.isTTY === true;
  const isPretty = options.format === 'pretty' || (options.format === 'auto' && isTerminal);
  const output = openLogOutput(options.fd ?? 1);
  const line = isPretty ? prettyLine(isTerminal) : (json: string) => json;

  const logger = pino(
    {
      level: options.level === 'panic' ? 'fatal' : options.level,
      base: { member: options.member },
      messageKey: 'event',
      errorKey: 'error',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { reason: errorAsText, error: pino.stdSerializers.err },
    },
    { write: (json: string) => output.write(line(json)) },
  );
  output.onRecovered((lines) => logger.warn({ lines }, 'log lines were dropped because nobody read them'));

  return {
    ...logOf(logger),
    get droppedLines() {
      return output.droppedLines;
    },
    close: () => output.close(),
    closeSync: () => output.closeSync(),
  };
}

function logOf(logger: pino.Logger): Log {
  return {
    debug: (event, facts = {}) => logger.debug(facts, event),
    info: (event, facts = {}) => logger.info(facts, event),
    warn: (event, facts = {}) => logger.warn(facts, event),
    error: (event, facts = {}) => logger.error(facts, event),
    fatal: (event, facts = {}) => logger.fatal(facts, event),
    child: (facts) => logOf(logger.child(facts)),
  };
}

/** `10:15:02.123 INFO  ready to serve client requests {"clientUrls":["http://localhost:2379"]}`. */
function prettyLine(isTerminal: boolean): (json: string) => string {
  const colorize = isTerminal && !process.env['NO_COLOR'];
  const pretty = prettyFactory({
    colorize,
    colorizeObjects: colorize,
    messageKey: 'event',
    errorLikeObjectKeys: ['error'],
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'member',
    singleLine: true,
  });
  return (json) => pretty(json);
}

/** A reason is shown to people; an error in its place is its message, without the stack. */
function errorAsText(reason: unknown): unknown {
  return reason instanceof Error ? reason.message : reason;
}
