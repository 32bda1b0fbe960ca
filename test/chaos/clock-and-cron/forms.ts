/** A cron expression taken apart: which seconds, minutes … it names. Written anew here, to share no mistake with the product. */
export interface Form {
  pattern: string;
  seconds: ReadonlySet<number>;
  minutes: ReadonlySet<number>;
  hours: ReadonlySet<number>;
  days: ReadonlySet<number>;
  months: ReadonlySet<number>;
  weekdays: ReadonlySet<number>;
  /** Both day fields say something: then either is enough. */
  eitherDay: boolean;
  everyHour: boolean;
}

/** Forms as people write them: with and without seconds, often and seldom, in and around the hours that clocks change. */
export const patterns: readonly string[] = [
  '* * * * *',
  '*/5 * * * *',
  '*/7 * * * *',
  '0 * * * *',
  '30 * * * *',
  '15,45 * * * *',
  '0 */2 * * *',
  '30 */3 * * *',
  '0 0 * * *',
  '30 0 * * *',
  '59 0 * * *',
  '0 1 * * *',
  '30 1 * * *',
  '0 2 * * *',
  '1 2 * * *',
  '15 2 * * *',
  '30 2 * * *',
  '59 2 * * *',
  '0 3 * * *',
  '30 3 * * *',
  '30 4 * * *',
  '30 22 * * *',
  '30 23 * * *',
  '59 23 * * *',
  '*/10 2 * * *',
  '*/20 0-3 * * *',
  '0,30 1-2 * * *',
  '0 2,3 * * *',
  '30 2 * * 0',
  '30 2 * * 1-5',
  '30 1 * * 6,7',
  '0 0 1 * *',
  '30 2 29 2 *',
  '15 2 1,15 * 0',
  '45 1 25-31 3,10,11 *',
  '0 3 * 4-10 *',
  '* * * * * *',
  '*/15 * * * * *',
  '30 30 2 * * *',
  '*/30 59 1-3 * * *',
  '0 0 */6 * * *',
  '10,50 */15 1,2 * * *',
];

const ranges = [
  [0, 59],
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;

export function formOf(pattern: string): Form {
  const written = pattern.split(' ');
  const fields = written.length === 5 ? ['0', ...written] : written;
  const [seconds, minutes, hours, days, months, weekdays] = fields.map((field, index) => {
    const [least, most] = ranges[index] ?? [0, 0];
    return valuesOf(field, least, most);
  }) as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  if (weekdays.has(7)) weekdays.add(0);
  const eitherDay = fields[3] !== '*' && fields[5] !== '*';
  return {
    pattern,
    seconds,
    minutes,
    hours,
    days,
    months,
    weekdays,
    eitherDay,
    everyHour: hours.size === 24,
  };
}

function valuesOf(field: string, least: number, most: number): Set<number> {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '*', step = '1'] = part.split('/');
    const [from, to] = range === '*' ? [least, most] : range.split('-').map(Number);
    for (let value = from ?? least; value <= (to ?? from ?? most); value += Number(step)) values.add(value);
  }
  return values;
}

/** Whether a clock that shows this wall time stands at one the form names. */
export function matches(form: Form, wall: number): boolean {
  const date = new Date(wall);
  if (!form.seconds.has(date.getUTCSeconds()) || !form.minutes.has(date.getUTCMinutes())) return false;
  if (!form.hours.has(date.getUTCHours()) || !form.months.has(date.getUTCMonth() + 1)) return false;
  const day = form.days.has(date.getUTCDate());
  const weekday = form.weekdays.has(date.getUTCDay());
  return form.eitherDay ? day || weekday : day && weekday;
}
