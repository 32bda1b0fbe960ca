import { hash } from 'node:crypto';
import type { SandboxRecord } from '../connector.ts';
import { type SandboxAnswer, SandboxPart } from '../sandbox.ts';

type Body = Record<string, unknown>;

/** The contact's own fields, beside its custom attributes. */
const own = ['role', 'external_id', 'email', 'name', 'phone', 'owner_id', 'custom_attributes'];

const attributes = [
  { name: 'plan', data_type: 'string' },
  { name: 'seats', data_type: 'integer' },
  { name: 'mrr', data_type: 'float' },
  { name: 'trial', data_type: 'boolean' },
  { name: 'renewal_on', data_type: 'date' },
].map((one) => ({ ...one, type: 'data_attribute', model: 'contact', custom: true, archived: false }));

/** The id that the sandbox gives the contact with this external id or, without one, this email. */
export function contactIdOf(unique: string): string {
  return hash('sha256', unique, 'hex').slice(0, 24);
}

/** What the sandbox does with people: contacts, their tags and notes. */
export class People extends SandboxPart {
  #lastId = 0;

  attributes(): SandboxAnswer {
    return list([{ name: 'email', data_type: 'string', custom: false }, ...attributes]);
  }

  contact(id: string, stale: boolean): SandboxAnswer {
    const record = this.#seen(id, stale);
    return record ? { status: 200, body: shown(record) } : notFound;
  }

  byExternalId(externalId: string, stale: boolean): SandboxAnswer {
    const [record] = this.records.find('contacts', 'external_id', externalId);
    return record ? this.contact(record.id, stale) : notFound;
  }

  /** The index does not know what was written last while a stale read lasts. */
  search(body: Body, stale: boolean): SandboxAnswer {
    const { field, value } = (body.query ?? {}) as { field?: string; value?: string };
    const found = this.records.find('contacts', String(field), String(value).toLowerCase());
    return list(found.flatMap(({ id }) => this.#seen(id, stale) ?? []).map(shown));
  }

  create(body: Body): SandboxAnswer {
    const text = JSON.stringify(body);
    const refused = this.#refusal(body, text);
    if (refused) return refused;
    const email = String(body.email ?? '').toLowerCase();
    const unique = String(body.external_id ?? email);
    if (unique === '') return failure(400, 'parameter_invalid', 'external_id or email is required');
    const rivals = [
      ...this.records.find('contacts', 'external_id', body.external_id ?? null),
      ...(email === '' ? [] : this.records.find('contacts', 'email', email)),
    ];
    const [rival] = rivals;
    if (rival)
      return failure(409, 'conflict', `A contact matching those details already exists with id=${rival.id}`);
    return this.#put(contactIdOf(unique), body, text);
  }

  update(id: string, body: Body): SandboxAnswer {
    const text = JSON.stringify({ id, ...body });
    if (!this.records.get('contacts', id)) return notFound;
    return this.#refusal(body, text) ?? this.#put(id, body, text);
  }

  /** One tag for each name, whatever its capitals. */
  tagNamed(name: string): SandboxAnswer {
    const [known] = this.records.find('tags', 'key', name.toLowerCase());
    const id = known?.id ?? String(++this.#lastId);
    const tag = known ?? this.records.put('tags', id, { name, key: name.toLowerCase() });
    return { status: 200, body: { type: 'tag', id, name: tag.fields.name } };
  }

  tagsOf(id: string, stale: boolean): SandboxAnswer {
    const record = this.#seen(id, stale);
    if (!record) return notFound;
    const tags = tagsIn(record).flatMap((tagId) => this.records.get('tags', tagId) ?? []);
    return list(tags.map((tag) => ({ type: 'tag', id: tag.id, name: tag.fields.name })));
  }

  setTag(id: string, tagId: string, present: boolean): SandboxAnswer {
    const text = `${id} ${tagId}`;
    const record = this.records.get('contacts', id);
    const tag = this.records.get('tags', tagId);
    if (!record || !tag) return notFound;
    if (this.faults.take('reject_item', text)) return failure(400, 'parameter_invalid', 'tag is not allowed');
    if (!this.faults.take('accept_without_write', text)) {
      const altered = this.faults.take('alter', text) !== undefined;
      if (this.faults.take('normalise', text))
        this.records.put('tags', tagId, { name: String(tag.fields.name).toUpperCase() });
      const others = tagsIn(record).filter((one) => one !== tagId);
      this.records.put('contacts', id, { tags: present === altered ? others : [...others, tagId] });
    }
    return { status: 200, body: { type: 'tag', id: tagId, name: tag.fields.name } };
  }

  notes(id: string, page: number, stale: boolean): SandboxAnswer {
    if (!this.records.get('contacts', id)) return notFound;
    const all = this.records.find('notes', 'contact', id).toReversed();
    const seen = stale ? all.slice(1) : all;
    const shownNotes = seen.slice((page - 1) * 50, page * 50);
    const pages = { page, per_page: 50, total_pages: Math.ceil(seen.length / 50) };
    return list(
      shownNotes.map((note) => ({ type: 'note', id: note.id, body: note.fields.body })),
      pages,
    );
  }

  addNote(id: string, body: Body): SandboxAnswer {
    const text = JSON.stringify(body);
    if (!this.records.get('contacts', id)) return notFound;
    if (this.faults.take('reject_item', text))
      return failure(400, 'parameter_invalid', 'body is not allowed');
    const html = String(body.body);
    const altered = this.faults.take('alter', text) ? html.replace('<p>', '<p>Altered: ') : html;
    const kept = this.faults.take('normalise', text) ? altered.replaceAll('<br>', '<br />\n') : altered;
    const noteId = String(++this.#lastId);
    if (!this.faults.take('accept_without_write', text))
      this.records.put('notes', noteId, { contact: id, body: kept });
    return { status: 200, body: { type: 'note', id: noteId, body: kept } };
  }

  #seen(id: string, stale: boolean): SandboxRecord | undefined {
    return stale ? this.records.before('contacts', id) : this.records.get('contacts', id);
  }

  #refusal(body: Body, text: string): SandboxAnswer | undefined {
    const stranger = Object.keys(body).find((name) => !own.includes(name));
    if (stranger !== undefined) return failure(400, 'parameter_not_found', `${stranger} is not known`);
    const custom = Object.keys((body.custom_attributes ?? {}) as Body);
    const unknown = custom.find((name) => !attributes.some((one) => one.name === name));
    if (unknown !== undefined)
      return failure(400, 'parameter_invalid', `Custom attribute '${unknown}' does not exist`);
    if (body.email !== undefined && !/^\S+@\S+$/.test(String(body.email)))
      return failure(400, 'parameter_invalid', 'Email is not valid');
    if (this.faults.take('reject_item', text))
      return failure(400, 'parameter_invalid', 'The owner specified is not a member of the workspace');
    return undefined;
  }

  #put(id: string, body: Body, text: string): SandboxAnswer {
    const old = this.records.get('contacts', id)?.fields;
    const fields: Body = { ...body };
    if (body.email !== undefined) fields.email = String(body.email).toLowerCase();
    if (body.custom_attributes !== undefined)
      fields.custom_attributes = { ...(old?.custom_attributes as Body), ...(body.custom_attributes as Body) };
    if (this.faults.take('alter', text)) fields.name = `${body.name ?? ''} (altered)`;
    if (this.faults.take('normalise', text)) fields.name = String(body.name ?? '').trim();
    if (this.faults.take('accept_without_write', text))
      return { status: 200, body: shown({ id, type: 'contacts', fields: { ...old, ...fields }, writes: 0 }) };
    return { status: 200, body: shown(this.records.put('contacts', id, fields)) };
  }
}

function tagsIn({ fields }: SandboxRecord): string[] {
  return (fields.tags as string[] | undefined) ?? [];
}

/** Names and emails come in HTML's escapes, as the API's default is. */
function shown({ id, fields: { tags: _, ...fields } }: SandboxRecord): Body {
  const escaped = (value: unknown) =>
    typeof value === 'string'
      ? value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&#39;')
      : value;
  return {
    type: 'contact',
    id,
    ...fields,
    name: escaped(fields.name) ?? null,
    email: escaped(fields.email) ?? null,
  };
}

function list(data: unknown[], pages: object | null = null): SandboxAnswer {
  return { status: 200, body: { type: 'list', data, total_count: data.length, pages } };
}

export function failure(status: number, code: string, message: string): SandboxAnswer {
  return { status, body: { type: 'error.list', request_id: 'sandbox', errors: [{ code, message }] } };
}

export const notFound = failure(404, 'not_found', 'Contact Not Found');
