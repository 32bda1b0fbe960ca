import { pino } from 'pino';

/** The logger as the engine uses it: fields first, then the message. Never a payload, never a secret. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * JSON lines on standard error, so that standard output stays the command's result.
 *
 * @param level `silent`, `error`, `warn`, `info` or `debug`; from READBACK_LOG
 */
export function openLog(level: string): Log {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
