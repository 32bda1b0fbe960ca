import type { ActionType } from '../connectors/connector.ts';
import { ReadbackError } from '../errors.ts';
import { compileCondition, compileTemplate } from '../templates/index.ts';
import { check, type Origin, originIn } from './check.ts';
import type { Located, Path } from './located.ts';
import { suggest } from './suggest.ts';

/** The keys under which a destination maps fields to templates. */
const mappings = ['fields', 'left_fields'] as const;

/** Whether a key of a destination file maps fields to templates. */
export function isMapping(key: string): key is (typeof mappings)[number] {
  return mappings.some((one) => one === key);
}

/** The part of a destination that concerns its action. */
interface Mapping {
  fields: Record<string, string>;
  left_fields?: Record<string, string>;
  on: readonly string[];
  options: Record<string, unknown>;
  when?: string;
  verify: { fields?: string[] };
}

/**
 * Checks templates, condition and read-back, and fields and options against the action when it is known.
 * Answers the options as the action's schema completes them.
 */
export function checkMapping(
  mapping: Mapping,
  action: ActionType | undefined,
  located: Located,
  problems: ReadbackError[],
): Record<string, unknown> | undefined {
  checkTemplates(mapping, action, located, problems);
  checkVerify(mapping, action, located, problems);
  checkLeaving(mapping, located, problems);
  if (!action) return undefined;
  for (const key of mappings) {
    const fields = mapping[key];
    if (fields) checkFields(key, fields, action, located, problems);
  }
  return check(action.options, mapping.options, originIn(located, ['options']), problems);
}

function checkTemplates(
  mapping: Mapping,
  action: ActionType | undefined,
  located: Located,
  problems: ReadbackError[],
): void {
  const { when } = mapping;
  if (when !== undefined) attempt(problems, () => compileCondition(when, located.placeOfText(['when'])));
  for (const key of mappings)
    for (const [field, template] of Object.entries(mapping[key] ?? {})) {
      const filter = action?.escape?.fields.includes(field) ? action.escape.filter : undefined;
      const place = located.placeOfText([key, field]);
      attempt(problems, () => compileTemplate(template, place, { escape: filter }));
    }
}

function checkLeaving({ left_fields, on }: Mapping, located: Located, problems: ReadbackError[]): void {
  if (!left_fields || on.includes('left')) return;
  const place = located.placeOf(['left_fields']);
  const message = '`left_fields` is never written: `on` does not have `left`';
  problems.push(new ReadbackError('CONFIG_REFERENCE', message, { place, hint: 'add left to on:' }));
}

function attempt(problems: ReadbackError[], compile: () => void): void {
  try {
    compile();
  } catch (error) {
    if (!(error instanceof ReadbackError)) throw error;
    problems.push(error);
  }
}

/** Keys are checked for every field; values only where they are written out, since a template has none yet. */
function checkFields(
  key: string,
  fields: Record<string, string>,
  action: ActionType,
  located: Located,
  problems: ReadbackError[],
): void {
  const isTemplate = (path: Path): boolean => {
    const value = path.length > 0 ? fields[String(path[0])] : undefined;
    return value !== undefined && /\{[{%]/.test(value);
  };
  const origin: Origin = originIn(located, [key]);
  check(action.fields, fields, origin, problems, isTemplate);
}

function checkVerify(
  { fields, verify }: Mapping,
  action: ActionType | undefined,
  located: Located,
  problems: ReadbackError[],
): void {
  const asWritten = located.value as { verify?: { fields?: unknown } };
  for (const [index, field] of (verify.fields ?? []).entries()) {
    const path = ['verify', 'fields', ...(Array.isArray(asWritten.verify?.fields) ? [index] : [])];
    const complain = (message: string, hint: string | undefined): void => {
      problems.push(new ReadbackError('CONFIG_REFERENCE', message, { place: located.placeOf(path), hint }));
    };
    if (!Object.hasOwn(fields, field))
      complain(
        `\`verify.fields\` names \`${field}\`, which is not under \`fields\``,
        suggest(field, Object.keys(fields)),
      );
    else if (action?.unverifiable !== undefined || action?.unreadable.includes(field))
      complain(
        `\`${field}\` cannot be read back from this destination`,
        action.unverifiable ?? 'remove it from verify.fields',
      );
  }
}
