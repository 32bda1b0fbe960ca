// Writes docs/connectors/ and docs/warehouses/: the pages that `readback docs` prints. Run it after changing a schema or
// a README of a connector or warehouse:
//   node --import tsx scripts/dump-docs.ts
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectorContents, warehouseContents } from '../src/cli/docs/contents.ts';
import { connectorPage, warehousePage } from '../src/cli/docs/page.ts';
import { connectorNames, loadConnector } from '../src/connectors/index.ts';
import { loadWarehouse, warehouseNames } from '../src/warehouses/index.ts';

export const docsFolder = fileURLToPath(new URL('../docs/', import.meta.url));

/** Every page by its path below docs/. */
export async function generatedPages(): Promise<Map<string, string>> {
  const connectors = (await Promise.all(connectorNames.map(loadConnector))).filter(
    (one) => one !== undefined,
  );
  const warehouses = (await Promise.all(warehouseNames.map(loadWarehouse))).filter(
    (one) => one !== undefined,
  );
  return new Map([
    ['connectors/README.md', connectorContents(connectors)],
    ...connectors.map((one) => [`connectors/${one.name}.md`, connectorPage(one)] as const),
    ['warehouses/README.md', warehouseContents(warehouses)],
    ...warehouses.map((one) => [`warehouses/${one.name}.md`, warehousePage(one)] as const),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const folder of ['connectors', 'warehouses'])
    await mkdir(join(docsFolder, folder), { recursive: true });
  for (const [path, text] of await generatedPages()) await writeFile(join(docsFolder, path), text);
}
