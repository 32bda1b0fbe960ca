import { ReadbackError } from '../errors.ts';
import { loadWarehouse } from '../warehouses/index.ts';
import type { Signal, WarehouseConfig } from './model.ts';

/** Takes out the signals whose trigger their warehouse cannot give. */
export async function linkTriggers(
  signals: Map<string, Signal>,
  warehouses: ReadonlyMap<string, WarehouseConfig>,
  problems: ReadbackError[],
): Promise<void> {
  for (const [name, { trigger, warehouse, file, places }] of signals) {
    const { type, settings } = warehouses.get(warehouse) ?? {};
    if (!trigger || !type || !settings) continue;
    const tells = (await loadWarehouse(type))?.tells?.(settings) ?? [];
    const kindOfWarehouse = typeof settings.flavour === 'string' ? settings.flavour : type;
    for (const kind of ['listen', 'replicate'] as const) {
      if (trigger[kind] === undefined || tells.includes(kind)) continue;
      signals.delete(name);
      problems.push(
        new ReadbackError('CONFIG_VALUE', `a ${kindOfWarehouse} warehouse has no \`${kind}\``, {
          place: { file, ...(places.get(`trigger.${kind}`) ?? places.get('trigger')) },
          hint: 'there, write a probe, or webhook: true',
        }),
      );
    }
  }
}
