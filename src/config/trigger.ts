import { z } from 'zod';
import { ReadbackError } from '../errors.ts';
import { duration } from './duration.ts';
import type { Located } from './located.ts';
import type { Trigger } from './model.ts';
import { text } from './vocabulary.ts';

/** As a server writes it when it stands without quotes; what is put into a command of the replication protocol. */
const serverName = () =>
  z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'write it as the server does: small letters, digits and _, at most 63');

/** The header's `trigger:`: what makes a signal be looked at before its schedule does. */
export const triggerSchema = z.strictObject({
  listen: text().max(63).exactOptional().describe('A channel of NOTIFY. The payload may name the entity.'),
  replicate: z
    .strictObject({
      publication: serverName().describe('Whose rows are followed, by logical replication.'),
      slot: serverName()
        .exactOptional()
        .describe('A slot that exists already. Without it a temporary one, which ends with its session.'),
    })
    .exactOptional(),
  webhook: z.boolean().exactOptional().describe('POST /signals/<name>/poke, where `api` listens.'),
  probe: text()
    .exactOptional()
    .describe('A cheap query; when its answer is another than before, the signal is polled.'),
  every: duration(100).exactOptional().describe('How often to ask the probe. 10s if absent.'),
});

type Written = z.output<typeof triggerSchema>;

const defaultProbeMs = 10_000;

export function triggerOf(written: Written | undefined): Trigger | undefined {
  if (!written) return undefined;
  const { listen, replicate, webhook, probe, every } = written;
  return {
    listen,
    replicate: replicate && { publication: replicate.publication, slot: replicate.slot },
    webhook: webhook ?? false,
    probe: probe === undefined ? undefined : { sql: probe, everyMs: every ?? defaultProbeMs },
  };
}

/** Rules between a trigger's keys, and between it and the rest of the header. */
export function checkTrigger(
  written: Written | undefined,
  scheduled: boolean,
  located: Located,
  problems: ReadbackError[],
): void {
  if (!written) return;
  const complain = (key: string[], message: string, hint: string): void => {
    problems.push(new ReadbackError('CONFIG_VALUE', message, { place: located.placeOfKey(key), hint }));
  };
  const { listen, replicate, webhook, probe, every } = written;
  if (!listen && !replicate && !webhook && !probe)
    complain(['trigger'], '`trigger` names nothing', 'write one of listen, replicate, webhook: true, probe');
  if (every !== undefined && probe === undefined)
    complain(['trigger', 'every'], '`trigger.every` needs `trigger.probe`', 'write the query, or remove it');
  if (!scheduled)
    complain(
      ['trigger'],
      '`trigger` needs `schedule` or `every`',
      'a trigger may lose what it tells; write when the signal is polled all the same, such as every: 15m',
    );
}
