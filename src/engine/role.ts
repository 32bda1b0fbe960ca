/** What a process of `start` does, or `run`: one pass, which fires no schedules. */
export const roles = ['all', 'scheduler', 'worker'] as const;
export type Role = (typeof roles)[number] | 'run';

/** Fires ticks, and watches whether polls follow from them. */
export function firesSchedules(role: Role): boolean {
  return role === 'all' || role === 'scheduler';
}

/** Polls, and works lanes. */
export function takesTurns(role: Role): boolean {
  return role !== 'scheduler';
}
