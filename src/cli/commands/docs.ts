import { suggest } from '../../config/suggest.ts';
import { connectorNames, loadConnector } from '../../connectors/index.ts';
import { ReadbackError } from '../../errors.ts';
import { loadWarehouse, warehouseNames } from '../../warehouses/index.ts';
import { connectorPage, warehousePage } from '../docs/page.ts';
import type { OutputOptions } from '../options.ts';
import { formatRows, print, type Row } from '../output.ts';

/** `readback docs [name]`: the page of a connector or a warehouse; without a name, what there is. */
export async function execute(options: OutputOptions, [name]: [string | undefined]): Promise<number> {
  print(name === undefined ? await contents(options) : await pageOf(name));
  return 0;
}

async function pageOf(name: string): Promise<string> {
  const connector = await loadConnector(name);
  if (connector) return connectorPage(connector);
  const warehouse = await loadWarehouse(name);
  if (warehouse) return warehousePage(warehouse);
  throw new ReadbackError('USAGE', 'there is no connector or warehouse of this name', {
    value: name,
    hint: suggest(name, [...connectorNames, ...warehouseNames]),
  });
}

async function contents({ output }: OutputOptions): Promise<string> {
  const rows: Row[] = [];
  for (const name of warehouseNames)
    rows.push({ kind: 'warehouse', name, summary: (await loadWarehouse(name))?.summary ?? '' });
  for (const name of connectorNames)
    rows.push({ kind: 'connector', name, summary: (await loadConnector(name))?.summary ?? '' });
  return formatRows(output, ['kind', 'name', 'summary'], rows);
}
