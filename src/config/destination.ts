import { z } from 'zod';
import type { ActionType } from '../connectors/connector.ts';
import { ReadbackError } from '../errors.ts';
import { check, originIn } from './check.ts';
import { duration } from './duration.ts';
import type { SourceFile } from './files.ts';
import type { Located } from './located.ts';
import { checkMapping, isMapping } from './mapping.ts';
import { type Destination, failurePolicies, transitions } from './model.ts';
import type { Defaults } from './root.ts';
import type { WrittenConnection } from './root-file.ts';
import { suggest } from './suggest.ts';
import { name, oneOrMore, text } from './vocabulary.ts';
import { parseYaml } from './yaml.ts';

const verifySchema = z.strictObject({
  fields: oneOrMore(text())
    .exactOptional()
    .describe('Fields to read back and compare. All readable ones if absent.'),
  within: duration()
    .default(120_000)
    .describe('How long reading back may keep failing before a person is asked. 2m if absent.'),
  lag: duration().exactOptional().describe('Overrides the lag the connector declares for the vendor.'),
});

const fieldsSchema = z.record(z.string(), z.string().meta({ type: ['string', 'number', 'boolean'] }));

/** A `destinations/*.yaml` file. */
export const destinationSchema = z.strictObject({
  description: z.string().default('').describe('What happens there, and for whom.'),
  owner: text().exactOptional().describe('Who to ask.'),
  tags: oneOrMore(name()).default([]).describe('For --select tag:…'),
  connection: name().describe('A connection of readback.yml.'),
  action: text().describe('What to do there: an action of the connection’s connector.'),
  options: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Settings of the action that are not templates.'),
  signals: oneOrMore(name()).describe('The signals to act on.'),
  on: oneOrMore(z.enum(transitions)).default(['entered']).describe('The transitions to act on.'),
  when: text().exactOptional().describe("Liquid condition over the enriched row, such as plan != 'free'."),
  enrich: oneOrMore(name()).default([]).describe('Files of sql/enrich that add fields to the row.'),
  fields: fieldsSchema.describe('Field of the action to Liquid template.'),
  left_fields: fieldsSchema
    .exactOptional()
    .describe(
      'What to write instead of `fields` for a row that has left, of which only the key may be known.',
    ),
  follows: name()
    .exactOptional()
    .describe('The destination whose record this one works on, for the same entity.'),
  after: oneOrMore(name())
    .default([])
    .describe(
      'Destinations whose action for the same message must be verified first: the earlier steps of a play.',
    ),
  on_failure: z
    .enum(failurePolicies)
    .default('stop')
    .describe(
      'What a play does when this step ends without its effect: stop, skip it, or undo the earlier steps.',
    ),
  verify: verifySchema
    .default({ within: 120_000 })
    .describe('What to read back, and how long to wait for it.'),
  ttl: duration().exactOptional().describe('How long an action may wait before it expires.'),
  lanes: z.int().min(1).max(64).default(1).describe('How many lanes may work in parallel.'),
  max_attempts: z.int().min(1).max(100).default(8).describe('After how many attempts an action is given up.'),
});

/** A destination by itself: what other files say about it is not yet checked. */
export interface Draft {
  destination: Destination;
  located: Located;
  /** Its own `ttl`; its signals and the defaults come after. */
  ttlMs: number | undefined;
  action: ActionType;
}

export interface DestinationContext {
  defaults: Defaults;
  /** Names written under `connections:`, with what can be done there where that is known. */
  connections: ReadonlyMap<string, WrittenConnection | undefined>;
}

/** Reads one destination file; undefined, with problems, when it is broken. */
export function readDestination(
  source: SourceFile,
  context: DestinationContext,
  problems: ReadbackError[],
): Draft | undefined {
  const before = problems.length;
  const located = parseYaml(source.file, source.text, problems);
  if (!located) return undefined;
  const data = check(destinationSchema, withWrittenFields(located), originIn(located), problems);
  if (!data) return undefined;
  const connection = connectionOf(data.connection, context, located, problems);
  const action =
    connection && Object.hasOwn(connection.actions, data.action)
      ? connection.actions[data.action]
      : undefined;
  if (connection && !action)
    problems.push(
      new ReadbackError('CONFIG_REFERENCE', `${connection.connector} has no action \`${data.action}\``, {
        place: located.placeOf(['action']),
        hint: suggest(data.action, Object.keys(connection.actions)),
      }),
    );
  const options = checkMapping(data, action, located, problems);
  if (problems.length > before || !connection || !action || !options) return undefined;
  const { within, fields, lag } = data.verify;
  const destination: Destination = {
    name: source.name,
    file: source.file,
    description: data.description,
    owner: data.owner ?? context.defaults.owner,
    tags: data.tags,
    connection: data.connection,
    connector: connection.connector,
    action: data.action,
    options,
    signals: data.signals,
    on: data.on,
    when: data.when,
    enrich: data.enrich,
    fields: data.fields,
    leftFields: data.left_fields,
    follows: data.follows,
    after: data.after,
    onFailure: data.on_failure,
    undoes: undefined,
    verify: { fields, withinMs: within, lagMs: lag },
    ttlMs: data.ttl ?? 0,
    lanes: data.lanes,
    maxAttempts: data.max_attempts,
    places: located.places(),
  };
  return { destination, located, ttlMs: data.ttl, action };
}

/** `zip: 01234` means the text, not the number 1234. */
function withWrittenFields(located: Located): unknown {
  const { value } = located;
  if (typeof value !== 'object' || value === null) return value ?? {};
  const all = Object.entries(value).map(([part, fields]) => {
    if (!isMapping(part) || typeof fields !== 'object' || fields === null || Array.isArray(fields))
      return [part, fields];
    const written = Object.entries(fields).map(([key, field]) => [
      key,
      located.written([part, key]) ?? field,
    ]);
    return [part, Object.fromEntries(written)];
  });
  return Object.fromEntries(all);
}

function connectionOf(
  connection: string,
  { connections }: DestinationContext,
  located: Located,
  problems: ReadbackError[],
): WrittenConnection | undefined {
  if (!connections.has(connection))
    problems.push(
      new ReadbackError('CONFIG_REFERENCE', `there is no connection \`${connection}\` in readback.yml`, {
        place: located.placeOf(['connection']),
        hint: suggest(connection, connections.keys()) ?? 'define it under connections:',
      }),
    );
  return connections.get(connection);
}
