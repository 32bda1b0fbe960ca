import { z } from 'zod';
import { cronMistake } from './cron.ts';
import { suggest } from './suggest.ts';

/** Names appear in selections, URLs and message sources, so they are kept plain. */
export const namePattern = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/;

/** Text that says something. */
export function text(): z.ZodString {
  return z.string().trim().min(1);
}

/** The name of something of ours. */
export function name(): z.ZodString {
  return z.string().regex(namePattern, 'a name has letters, digits, _ and -, and begins with a letter');
}

/** One or a list of them, without repetition; always a list afterwards. */
export function oneOrMore<T extends z.ZodType<string>>(item: T) {
  return z
    .preprocess(
      (value) => (Array.isArray(value) || value === undefined ? value : [value]),
      z.array(item).min(1),
    )
    .refine((items) => new Set(items).size === items.length, 'the same name stands twice')
    .meta({ oneOrMore: true });
}

const cronHint = 'write five fields, minute first: "*/5 * * * *", or `every: 5m`';

/** A cron expression of five fields, or six with seconds first. */
export function cronExpression() {
  return z
    .string()
    .meta({ examples: ['*/5 * * * *', '0 7 * * 1-5'] })
    .superRefine((pattern, context) => {
      const message = cronMistake(pattern);
      if (message === undefined) return;
      context.addIssue({ code: 'custom', message, input: pattern, params: { hint: cronHint } });
    });
}

/** An IANA time zone. */
export function timezone() {
  return z
    .string()
    .meta({ examples: ['UTC', 'Europe/Berlin'] })
    .superRefine((zone, context) => {
      if (isTimezone(zone)) return;
      const hint = suggest(zone, Intl.supportedValuesOf('timeZone')) ?? 'write a zone such as Europe/Berlin';
      context.addIssue({ code: 'custom', message: 'not an IANA time zone', input: zone, params: { hint } });
    });
}

function isTimezone(zone: string): boolean {
  // Offsets such as +02:00 are accepted by newer Intl, but they know no daylight saving.
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
