import { stringify } from 'yaml';
import type { ActionType, Connector } from '../../connectors/connector.ts';
import { actionsOf } from '../../connectors/index.ts';
import { humanDuration } from '../../report/duration.ts';
import type { WarehouseType } from '../../warehouses/warehouse.ts';
import { readNotes } from './notes.ts';
import { keyTable } from './rows.ts';

/** Everything about a connector as Markdown: what its schemas say, then what its README adds by hand. */
export function connectorPage(connector: Connector): string {
  const { title, intro, sections } = readNotes(`connectors/${connector.name}`);
  const { requests, perMs } = connector.rateLimit;
  const actions = Object.entries(actionsOf(connector) ?? {});
  return page([
    `# ${title}`,
    intro,
    '## Connection',
    fenced(connector.example),
    keyTable('setting', connector.schema),
    `At most ${requests} ${requests === 1 ? 'request' : 'requests'} in ${humanDuration(perMs)}, unless the ` +
      "connection's `rate_limit` says otherwise.",
    ...(actions.length > 0
      ? ['## Actions', ...actions.map((action) => actionSection(connector, action))]
      : []),
    sections,
  ]);
}

/** Everything about a warehouse type as Markdown. */
export function warehousePage(type: WarehouseType): string {
  const { title, intro, sections } = readNotes(`warehouses/${type.name}`);
  const example = stringify({ warehouses: { analytics: { type: type.name } } }).trimEnd();
  return page([
    `# ${title}`,
    intro,
    '## Settings',
    fenced(`${example}\n${type.example.trim().replace(/^/gm, '    ')}`),
    keyTable('setting', type.schema),
    sections,
  ]);
}

function actionSection(connector: Connector, [name, type]: [string, ActionType]): string {
  return page([
    `### ${name}`,
    `${type.summary} ${facts(type)}`,
    type.unverifiable === undefined ? '' : `Never verified: ${type.unverifiable}.`,
    fenced(destinationExample(connector, name, type)),
    keyTable('option', type.options),
    keyTable('field', type.fields, 'any other field'),
    type.unreadable.length === 0
      ? ''
      : `Not read back: ${type.unreadable.map((one) => `\`${one}\``).join(', ')}.`,
  ]).trimEnd();
}

/** `Class: keyed; up to 100 in one call.` */
function facts({ idempotency, maxBatch, needsParent }: ActionType): string {
  const batch = maxBatch > 1 ? `; up to ${maxBatch} in one call` : '';
  const parent = needsParent ? '; works on the record of the destination it `follows`' : '';
  return `Class: ${idempotency}${batch}${parent}.`;
}

function destinationExample(connector: Connector, name: string, type: ActionType): string {
  const [connection] = /^\w+(?=:)/m.exec(connector.example.replace(/^connections:\n\s*/, '')) ?? [
    connector.name,
  ];
  const { options, fields } = type.example;
  return stringify(
    {
      connection,
      action: name,
      ...(options && Object.keys(options).length > 0 ? { options } : {}),
      signals: ['my_signal'],
      ...(type.needsParent ? { follows: 'another_destination' } : {}),
      fields,
    },
    { lineWidth: 0 },
  );
}

function fenced(yaml: string): string {
  return `\`\`\`yaml\n${yaml.trim()}\n\`\`\``;
}

function page(parts: readonly string[]): string {
  const said = parts.map((part) => part.trim()).filter((part) => part !== '');
  return `${said.join('\n\n')}\n`;
}
