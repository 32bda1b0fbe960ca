import type {
  CallOptions,
  Client,
  Connector,
  Finding,
  Outcome,
  ReadItem,
  Reading,
  WriteItem,
} from '../connector.ts';
import { oneByOne } from '../one-by-one.ts';
import { rejected } from '../outcomes.ts';
import { actions } from './actions.ts';
import { Attributes } from './attributes.ts';
import { Intercom } from './client.ts';
import { readContact, upsert } from './contacts.ts';
import { addNote, readNote } from './notes.ts';
import { type Settings, settingsSchema } from './schema.ts';
import { Tags } from './tags.ts';

export const connector: Connector = {
  name: 'intercom',
  summary: 'Intercom: upserts, tags and annotates contacts, and reads them back.',
  schema: settingsSchema,
  example: ['messenger:', '  connector: intercom', '  access_token: env:INTERCOM_ACCESS_TOKEN'].join('\n'),
  // 1,000 a minute, counted in windows of 10 s: what the reference shows. Many apps have ten times as much.
  rateLimit: { requests: 166, perMs: 10_000 },
  actions,
  open: async (settings, gate): Promise<Client> => open(new Intercom(settings as Settings, gate)),
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

function open(intercom: Intercom): Client {
  const attributes = new Attributes(intercom);
  const tags = new Tags(intercom);

  const write = async (
    action: string,
    options: Record<string, unknown>,
    item: WriteItem,
    call: CallOptions,
  ): Promise<Outcome> => {
    if (action === 'upsert_contact') return upsert(intercom, attributes, options, item, call);
    const { parentId, fields } = item;
    if (!parentId) return rejected('parent', 'no contact to work on');
    if (action === 'tag_contact') return tags.add(parentId, fields.tag ?? '', call);
    if (action === 'untag_contact') return tags.remove(parentId, fields.tag ?? '', call);
    return addNote(intercom, item, parentId, call);
  };
  const read = async (action: string, item: ReadItem, call: CallOptions): Promise<Reading> => {
    if (action === 'upsert_contact') return readContact(intercom, item, call);
    if (action === 'tag_contact') return tags.read('present', item, call);
    if (action === 'untag_contact') return tags.read('absent', item, call);
    return readNote(intercom, item, call);
  };
  return {
    check: (_actions, call) => check(intercom, call),
    write: (action, options, items, call) => oneByOne(items, (item) => write(action, options, item, call)),
    read: (action, _options, items, call) => oneByOne(items, (item) => read(action, item, call)),
    close: async () => {},
  };
}

async function check(intercom: Intercom, call: CallOptions): Promise<Finding[]> {
  const answer = await intercom.me(call);
  if (answer.ok) return [];
  return [
    {
      problem: `Intercom: ${answer.problem.reason}`,
      hint: 'Check access_token and region of the connection.',
    },
  ];
}
