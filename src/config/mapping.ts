import type { ActionType } from '../connectors/connector.ts';
import { ReadbackError } from '../errors.ts';
import { compileCondition, compileTemplate } from '../templates/index.ts';
import { check, type Origin, originIn } from './check.ts';
import type { Located, Path } from './located.ts';
import { suggest } from './suggest.ts';

/** The part of a destination that concerns its action. */
interface Mapping {
  fields: Record<string, string>;
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
  if (!action) return undefined;
  checkFields(mapping.fields, action, located, problems);
  return check(action.options, mapping.options, originIn(located, ['options']), problems);
}

function checkTemplates(
  { fields, when }: Mapping,
  action: ActionType | undefined,
  located: Located,
  problems: ReadbackError[],
): void {
  if (when !== undefined) attempt(problems, () => compileCondition(when, located.placeOfText(['when'])));
  for (const [field, template] of Object.entries(fields)) {
    const filter = action?.escape?.fields.includes(field) ? action.escape.filter : undefined;
    const place = located.placeOfText(['fields', field]);
    attempt(problems, () => compileTemplate(template, place, { escape: filter }));
  }
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
  fields: Record<string, string>,
  action: ActionType,
  located: Located,
  problems: ReadbackError[],
): void {
  const isTemplate = (path: Path): boolean => {
    const value = path.length > 0 ? fields[String(path[0])] : undefined;
    return value !== undefined && /\{[{%]/.test(value);
  };
  const origin: Origin = originIn(located, ['fields']);
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
