import { LRUCache } from 'lru-cache';
import type { CallOptions, Fields, Outcome } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { beforeWriting } from '../rest.ts';
import type { Attribute, Intercom } from './client.ts';
import { secondsOf } from './normal.ts';
import { customField } from './schema.ts';

/** Gives the values of custom attributes the type that the workspace declares for each. Asked for every five minutes. */
export class Attributes {
  readonly #intercom: Intercom;
  readonly #known = new LRUCache<'people', Map<string, Attribute>>({ max: 1, ttl: 5 * 60_000 });

  constructor(intercom: Intercom) {
    this.#intercom = intercom;
  }

  /** `{ custom_attributes }`, or nothing when no field is one. */
  async typed(fields: Fields, call: CallOptions): Promise<{ values: object } | { outcome: Outcome }> {
    const custom = Object.entries(fields).flatMap(([field, text]) => {
      const name = customField.exec(field)?.[1];
      return name === undefined ? [] : [{ name, text: text.trim() }];
    });
    if (custom.length === 0) return { values: {} };
    const known = await this.#learn(call);
    if (!(known instanceof Map)) return { outcome: known };
    const values: Record<string, unknown> = {};
    for (const { name, text } of custom) {
      const attribute = known.get(name);
      const value = attribute && convert(text, attribute.data_type ?? 'string');
      if (value === undefined) {
        const reason = attribute
          ? `${name} is of the type ${attribute.data_type}; ${text.slice(0, 80)} is not`
          : `people have no custom attribute ${name}; make it in Settings → People data`;
        return { outcome: rejected('custom_attribute', reason) };
      }
      values[name] = value;
    }
    return { values: { custom_attributes: values } };
  }

  async #learn(call: CallOptions): Promise<Map<string, Attribute> | Outcome> {
    const kept = this.#known.get('people');
    if (kept) return kept;
    const answer = await this.#intercom.attributes(call);
    if (!answer.ok) return beforeWriting(answer.problem);
    const custom = answer.list.filter((one) => one.custom !== false && one.archived !== true);
    const known = new Map(custom.map((one) => [one.name, one]));
    this.#known.set('people', known);
    return known;
  }
}

/** Undefined: not a value of this type. Empty text empties the attribute. */
function convert(text: string, type: string): string | number | boolean | null | undefined {
  if (text === '') return null;
  if (type === 'integer') return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
  if (type === 'float') return Number.isFinite(Number(text)) ? Number(text) : undefined;
  if (type === 'boolean') return /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : undefined;
  if (type === 'date') return /^\d{1,12}$/.test(text) ? Number(text) : secondsOf(text);
  return text;
}
