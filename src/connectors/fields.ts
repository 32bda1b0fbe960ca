import { z } from 'zod';

/** The schema of an action's fields that lets the account's own fields through beside the named ones, and nothing else. */
export function withCustomFields<Shape extends z.ZodRawShape>(
  shape: Shape,
  custom: RegExp,
): z.ZodType<Record<string, string>> {
  return z
    .object(shape)
    .catchall(z.string())
    .superRefine(
      (fields, context) => {
        const keys = Object.keys(fields).filter((key) => !Object.hasOwn(shape, key) && !custom.test(key));
        if (keys.length > 0)
          context.addIssue({ code: 'unrecognized_keys', keys, input: fields as Record<string, unknown> });
        // Also when something else is wrong: a required field that is missing is often one that is misspelt.
      },
      { when: () => true },
    ) as unknown as z.ZodType<Record<string, string>>;
}
