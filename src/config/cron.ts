import { CronExpressionParser } from 'cron-parser';

/** Fields of an expression with seconds, and the largest step that comes twice. */
const fields = [
  ['second', 59],
  ['minute', 59],
  ['hour', 23],
  ['day of month', 31],
  ['month', 12],
  ['day of week', 7],
] as const;

/** What is wrong with a cron expression of five fields, or six with seconds first; undefined when it has ticks. */
export function cronMistake(pattern: string): string | undefined {
  const written = pattern.trim().split(/\s+/);
  if (written.length < 5 || written.length > 6) return 'not a cron expression';
  const six = written.length === 5 ? ['0', ...written] : written;
  const wrong = six.findIndex((field, index) => !isField(field, index));
  if (wrong >= 0) return `the ${fields[wrong]?.[0]} is wrong`;
  return hasTicks(pattern) ? undefined : 'there is no such day in these months';
}

/** Whether one field could stand there. `H` means a random value to the parser: another one on each machine. */
function isField(field: string, index: number): boolean {
  const steps = [...field.matchAll(/\/(\d+)/g)].map(([, step]) => Number(step));
  if (/(?:^|,)H/.test(field) || steps.some((step) => step > (fields[index]?.[1] ?? 0))) return false;
  return hasTicks(fields.map((_, at) => (at === index ? field : '*')).join(' '));
}

function hasTicks(pattern: string): boolean {
  try {
    CronExpressionParser.parse(pattern, { tz: 'UTC' }).next();
    return true;
  } catch {
    return false;
  }
}
