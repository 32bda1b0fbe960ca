import type { z } from 'zod';
import { suggest } from '../../config/suggest.ts';
import type { Definition } from './grammar.ts';
import { complaintsTo } from './placeholders.ts';
import { namesIn } from './template.ts';

/** What undoes an action must be there, work on the record of another, and be given what it needs. */
export function checkUndos(actions: Record<string, Definition>, context: z.RefinementCtx): void {
  const complain = complaintsTo(context, actions);
  for (const [name, { undo }] of Object.entries(actions)) {
    if (!undo) continue;
    const path = [name, 'undo'];
    const inverse = Object.hasOwn(actions, undo.action) ? actions[undo.action] : undefined;
    if (!inverse) {
      const hint = suggest(undo.action, Object.keys(actions));
      complain([...path, 'action'], `there is no action ${undo.action}`, hint);
      continue;
    }
    if (!namesIn([inverse.write, inverse.read]).includes('parent_id'))
      complain([...path, 'action'], `${undo.action} does not say which record`, 'write {parent_id} into it');
    for (const [field, value] of Object.entries(undo.fields)) {
      if (/\{[{%]/.test(value))
        complain([...path, 'fields', field], 'is sent as it stands', 'templates belong to the destination');
      if (!Object.hasOwn(inverse.fields, field))
        complain(
          [...path, 'fields', field],
          `${undo.action} has no such field`,
          suggest(field, Object.keys(inverse.fields)),
        );
    }
    for (const [field, { required }] of Object.entries(inverse.fields))
      if (required && !Object.hasOwn(undo.fields, field))
        complain([...path, 'fields'], `${undo.action} needs ${field}`, `write ${field}: … there`);
  }
}
