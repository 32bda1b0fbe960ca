import ms from 'ms';
import { z } from 'zod';

const durationPattern = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d|w)$/;
/** Anything longer is a slip of the finger, and would overflow timers and intervals further on. */
const longestMs = ms('3650d');

export const durationHint = 'write 30s, 5m, 24h or 14d';

/** Milliseconds of `30s`, `5m`, `24h`, `14d`, `2w`, `500ms`; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  const value = ms(text as ms.StringValue);
  return Number.isInteger(value) && value <= longestMs ? value : undefined;
}

/** A duration in a project file, as milliseconds of at least `leastMs`. */
export function duration(leastMs = 1): z.ZodType<number, string> {
  return z
    .string({ error: `a duration needs a unit; ${durationHint}` })
    .meta({ pattern: durationPattern.source, examples: ['30s', '5m', '24h', '14d'] })
    .transform((text, context) => {
      const value = parseDuration(text);
      const message =
        value === undefined
          ? 'not a duration'
          : value < leastMs
            ? `must be at least ${ms(leastMs)}`
            : undefined;
      if (message === undefined) return value as number;
      context.issues.push({ code: 'custom', message, input: text, params: { hint: durationHint } });
      return z.NEVER;
    });
}
