import type { CallOptions, ReadItem, Reading } from '../connector.ts';
import { asked, asReading, type Refused } from '../rest.ts';
import type { Profile, Zendesk } from './client.ts';
import { customProfileField } from './profile-schema.ts';
import { folded, identityOf, type ProfileType } from './profiles.ts';

/**
 * The users or organisations as they are now, by action key. Those with an id, and those with an `external_id`, are read
 * 100 at a time; a user of whom only the email is known is searched for.
 */
export async function readProfiles(
  zendesk: Zendesk,
  type: ProfileType,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  const readings = new Map<string, Reading>();
  const lists = { ids: new Map<ReadItem, string>(), external_ids: new Map<ReadItem, string>() };
  for (const item of items) {
    const identity = identityOf(item.locator);
    if (item.id !== undefined) lists.ids.set(item, item.id);
    else if (!identity) readings.set(item.key, { kind: 'unreadable', reason: 'nothing to look for' });
    else if (identity.field === 'email')
      readings.set(item.key, await byEmail(zendesk, item, identity.value, call));
    else if (identity.value.includes(','))
      readings.set(item.key, { kind: 'unreadable', reason: 'an external_id with a comma is not found' });
    else lists.external_ids.set(item, identity.value);
  }
  for (const by of ['ids', 'external_ids'] as const) {
    const wanted = lists[by];
    if (wanted.size === 0) continue;
    const names = [...new Set(wanted.values())];
    const answer = await asked(() => zendesk.showProfiles(type, by, names, call));
    for (const [item, name] of wanted) {
      const field = by === 'ids' ? 'id' : 'external_id';
      readings.set(item.key, pick(answer, type, item, field, name));
    }
  }
  return readings;
}

async function byEmail(zendesk: Zendesk, item: ReadItem, email: string, call: CallOptions): Promise<Reading> {
  const answer = await asked(() => zendesk.usersByEmail(email, call));
  return pick(answer, 'user', item, 'email', email);
}

type Shown = { ok: true; profiles: Profile[] } | Refused;

/** Finds the one that is meant in the list. Who was deleted is still shown, as not active. */
function pick(shown: Shown, type: ProfileType, item: ReadItem, field: string, name: string): Reading {
  if (!shown.ok) return asReading(shown.problem);
  const profile = shown.profiles.find((one) => folded(one[field]) === folded(name));
  if (!profile || profile.active === false) return { kind: 'absent' };
  const custom = profile[`${type}_fields`] as Record<string, unknown> | undefined;
  const fields = item.fields.map((name) => {
    const customName = customProfileField.exec(name)?.[1];
    return [name, customName ? custom?.[customName] : profile[name]];
  });
  return { kind: 'found', id: String(profile.id), fields: Object.fromEntries(fields) };
}
