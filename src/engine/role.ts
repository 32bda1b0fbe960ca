/** What a process of `start` does, or `run`: one pass, which fires no schedules. */
export const roles = ['all', 'scheduler', 'worker'] as const;
export type Role = (typeof roles)[number] | 'run';

/** Fires ticks, and watches whether polls follow from them. */
export function firesSchedules(role: Role): boolean {
  return role === 'all' || role === 'scheduler';
}

/** Attends to triggers. A single pass does not: it would hardly hear one. */
export function attendsTriggers(role: Role): boolean {
  return role === 'all' || role === 'worker';
}

/** Polls, and works lanes. */
export function takesTurns(role: Role): boolean {
  return role !== 'scheduler';
}
