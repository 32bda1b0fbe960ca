import type { CallOptions, ReadItem, Reading } from '../connector.ts';
import { asReading } from '../rest.ts';
import { isCanceled } from './cancel.ts';
import type { Linear, Node } from './client.ts';
import { idOf } from './identity.ts';

interface Issue extends Node {
  [field: string]: unknown;
}
interface Comment extends Node {
  body?: string;
}

/** What Linear holds now, by action key: one request for up to 50, because all ids are known beforehand. */
export async function read(
  linear: Linear,
  action: string,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  return action === 'comment_issue'
    ? readComments(linear, items, call)
    : readIssues(linear, action, items, call);
}

async function readIssues(
  linear: Linear,
  action: string,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  const idOfItem = ({ key, id, parentId }: ReadItem) =>
    action === 'create_issue' ? idOf(key) : (id ?? parentId ?? '');
  const ids = [...new Set(items.map(idOfItem))];
  const answer = await linear.list<Issue>('Issues', 'issues', { ids }, call);
  const readings = new Map<string, Reading>();
  for (const item of items) {
    const id = idOfItem(item);
    const issue = answer.ok ? answer.nodes.find((one) => one.id === id) : undefined;
    if (!answer.ok) readings.set(item.key, asReading(answer.problem));
    else
      readings.set(
        item.key,
        issue ? { kind: 'found', id, fields: fieldsOf(issue, item) } : { kind: 'absent' },
      );
  }
  return readings;
}

async function readComments(
  linear: Linear,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  const answer = await linear.list<Comment>(
    'Comments',
    'comments',
    { ids: items.map(({ key }) => idOf(key)) },
    call,
  );
  const readings = new Map<string, Reading>();
  for (const { key, id, parentId } of items) {
    const comment = answer.ok ? answer.nodes.find((one) => one.id === idOf(key)) : undefined;
    if (!answer.ok) readings.set(key, asReading(answer.problem));
    else if (!comment) readings.set(key, { kind: 'absent' });
    else
      readings.set(key, { kind: 'found', id: id ?? parentId ?? comment.id, fields: { body: comment.body } });
  }
  return readings;
}

/** A name for what was sent as a name, an id for what was sent as an id. */
function fieldsOf(issue: Issue, item: ReadItem): Record<string, unknown> {
  const byId = new Set(item.locator.ids?.split(','));
  const fieldOf = (field: string): unknown => {
    if (field === 'due_date') return issue.dueDate;
    if (field === 'canceled') return String(isCanceled(issue.state));
    const value = issue[field];
    if (typeof value !== 'object' || value === null) return value;
    const named = (thing: Issue) => (byId.has(field) ? thing.id : (thing.key ?? thing.email ?? thing.name));
    const { nodes } = value as { nodes?: Issue[] };
    return nodes ? nodes.map(named) : named(value as Issue);
  };
  return Object.fromEntries(item.fields.map((field) => [field, fieldOf(field)]));
}
