import { canonicalDate, canonicalNumber, canonicalText } from '../canonical.ts';
import { longId } from './ids.ts';

const emailField = /email(__c)?$/i;
/** Values of a multi-select picklist; Salesforce gives them back in the order of their definition. */
const several = /^[^;\n]+(;[^;\n]+)+$/;

/**
 * The comparable form of a Salesforce field, for what was sent and for what is held. Salesforce trims text, lower-cases
 * emails, lengthens record ids, tells timestamps in UTC (`+0000`) and cuts them to the second.
 */
export function canonical(field: string, value: unknown): string {
  const text = canonicalText(value);
  if (emailField.test(field)) return text.toLowerCase();
  if (/^(true|false)$/i.test(text)) return text.toLowerCase();
  if (several.test(text))
    return text
      .split(';')
      .map((one) => one.trim())
      .sort()
      .join(';');
  return canonicalDate(text)?.slice(0, 19) ?? longId(canonicalNumber(text) ?? text);
}
