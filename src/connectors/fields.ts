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

/** The fields of an action that does one thing: a field with the only value it can have, also where it is left out. */
export function onlyField(
  name: string,
  value: 'true' | 'false',
  description: string,
  more: z.ZodRawShape = {},
): z.ZodType<Record<string, string>> {
  const field = z.literal(value).default(value).describe(description);
  return z.strictObject({ [name]: field, ...more }) as unknown as z.ZodType<Record<string, string>>;
}
