import { LRUCache } from 'lru-cache';
import type { CallOptions, Outcome, ReadItem, Reading } from '../connector.ts';
import { asReading, beforeWriting } from '../rest.ts';
import type { Intercom, Tag } from './client.ts';
import { canonical } from './normal.ts';

/** Tags on contacts. The ids of tags are remembered for five minutes. */
export class Tags {
  readonly #intercom: Intercom;
  readonly #ids = new LRUCache<string, string>({ max: 1_000, ttl: 5 * 60_000 });

  constructor(intercom: Intercom) {
    this.#intercom = intercom;
  }

  async add(contactId: string, name: string, call: CallOptions): Promise<Outcome> {
    const key = canonical('tag', name);
    let tagId = this.#ids.get(key);
    if (tagId === undefined) {
      const named = await this.#intercom.tagNamed(name.trim(), call);
      if (!named.ok) return beforeWriting(named.problem);
      tagId = named.tag.id;
      this.#ids.set(key, tagId);
    }
    const answer = await this.#intercom.tag(contactId, tagId, call);
    if (answer.ok) return { kind: 'applied', id: contactId };
    // The tag may have been deleted meanwhile: next time its name is looked up again.
    this.#ids.delete(key);
    return answer.problem;
  }

  async remove(contactId: string, name: string, call: CallOptions): Promise<Outcome> {
    const answer = await this.#intercom.tagsOf(contactId, call);
    if (!answer.ok) return beforeWriting(answer.problem);
    const tag = answer.list.find((one) => isNamed(one, name));
    if (!tag) return { kind: 'already', id: contactId };
    const removed = await this.#intercom.untag(contactId, tag.id, call);
    return removed.ok ? { kind: 'applied', id: contactId } : removed.problem;
  }

  /** The tag's name when it is there, or not there, as it should be; else nothing, which is a difference. */
  async read(wanted: 'present' | 'absent', item: ReadItem, call: CallOptions): Promise<Reading> {
    const contactId = item.id ?? item.parentId;
    if (!contactId) return { kind: 'unreadable', reason: 'no contact to read' };
    const answer = await this.#intercom.tagsOf(contactId, call);
    if (!answer.ok) return answer.gone ? { kind: 'absent' } : asReading(answer.problem);
    const { tag = '' } = item.locator;
    const present = answer.list.some((one) => isNamed(one, tag));
    return { kind: 'found', id: contactId, fields: { tag: present === (wanted === 'present') ? tag : '' } };
  }
}

function isNamed(tag: Tag, name: string): boolean {
  return canonical('tag', tag.name) === canonical('tag', name);
}
