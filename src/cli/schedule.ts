import ms from 'ms';
import type { Schedule } from '../config/model.ts';

/** A schedule in the words of a signal's header. */
export function scheduleText(schedule: Schedule | undefined): string {
  if (!schedule) return 'by hand';
  if ('everyMs' in schedule) return `every ${ms(schedule.everyMs)}`;
  return schedule.timezone === 'UTC' ? schedule.cron : `${schedule.cron} (${schedule.timezone})`;
}
