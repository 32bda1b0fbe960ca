import type { Action } from './action.ts';

/**
 * The object of each action's record, as it stands in the address of its page. Types are HubSpot's own numbers:
 * https://developers.hubspot.com/docs/api-reference/crm-understanding-the-crm#object-type-ids
 */
const pages: Readonly<Record<string, string>> = {
  upsert_contact: '0-1',
  upsert_company: '0-2',
  create_deal: '0-3',
  create_ticket: '0-5',
  create_task: '0-27',
};

/** The same actions, those with a page of their own with its address in the account of that number. */
export function withPages(
  actions: Readonly<Record<string, Action>>,
  portalId: string,
): Readonly<Record<string, Action>> {
  const entries = Object.entries(actions).map(([name, action]): [string, Action] => {
    const type = pages[name];
    if (type === undefined) return [name, action];
    const base = `https://app.hubspot.com/contacts/${encodeURIComponent(portalId)}/record/${type}`;
    return [name, { ...action, link: (id: string) => `${base}/${encodeURIComponent(id)}` }];
  });
  return Object.fromEntries(entries);
}
