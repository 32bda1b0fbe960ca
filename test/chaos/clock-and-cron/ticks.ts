import { fileURLToPath } from 'node:url';

interface Schedule {
  cron: string;
  timezone: string;
}

const file = fileURLToPath(new URL('../../../dist/engine/ticks.js', import.meta.url));

/** The compiled product's own idea of ticks. */
export const product = (await import(file)) as {
  nextTick(schedule: Schedule, after: Date): Date;
  previousTick(schedule: Schedule, now: Date): Date;
};
