import type { Connector } from '../../connectors/connector.ts';
import { actionsOf } from '../../connectors/index.ts';
import type { WarehouseType } from '../../warehouses/warehouse.ts';
import { readNotes } from './notes.ts';

/** Every connector with its actions, each with its class, as Markdown. */
export function connectorContents(connectors: readonly Connector[]): string {
  const rows = connectors.flatMap((connector) => {
    const { title } = readNotes(`connectors/${connector.name}`);
    const actions = Object.entries(actionsOf(connector) ?? {});
    const link = `[${title}](${connector.name}.md)`;
    if (actions.length === 0) return [`| ${link} | yours | ${connector.summary} | as described |`];
    return actions.map(([name, { summary, idempotency, unverifiable }], index) => {
      const never = unverifiable === undefined ? '' : ' Never verified.';
      return `| ${index === 0 ? link : ''} | \`${name}\` | ${summary}${never} | ${idempotency} |`;
    });
  });
  return [
    '# Connectors',
    '',
    '| connector | action | what it does | class |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** Every warehouse type as Markdown. */
export function warehouseContents(types: readonly WarehouseType[]): string {
  const rows = types.map(
    ({ name, summary }) =>
      `| [${readNotes(`warehouses/${name}`).title}](${name}.md) | \`${name}\` | ${summary} |`,
  );
  return ['# Warehouses', '', '| warehouse | `type` | |', '|---|---|---|', ...rows, ''].join('\n');
}
