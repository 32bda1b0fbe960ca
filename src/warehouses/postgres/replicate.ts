import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Pgoutput } from 'pg-logical-replication';
import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication';
import { render, type Templates } from '../template.ts';
import type { Follower } from '../warehouse.ts';
import { alive } from './alive.ts';
import { ChangedKeys } from './changed-keys.ts';
import { exactTexts } from './values.ts';
import { UntilVisible } from './visible.ts';

/** The server is told this often how far we are, and asked for an answer … */
const acknowledgeMs = 10_000;
/** … and is believed dead when it has said nothing for so long. */
const silentMs = 60_000;

export interface Publication {
  publication: string;
  slot: string | undefined;
}

/**
 * Follows a publication's rows. What has been told is acknowledged: a slot of the user's keeps only what was not. Returns
 * once `stop` is raised, throws when the connection is lost.
 */
export async function replicate(
  config: pg.ClientConfig,
  templates: Templates,
  { publication, slot }: Publication,
  follower: Follower,
  stop: AbortSignal,
): Promise<void> {
  const { default: driver } = await import('pg');
  const service = new LogicalReplicationService(config, { acknowledge: { auto: false, timeoutSeconds: 0 } });
  const options = { protoVersion: 1 as const, publicationNames: [publication] };
  const plugin = slot === undefined ? new OnTemporarySlot(options, templates) : new ExactTexts(options);
  const client = new driver.Client({ ...config, query_timeout: silentMs });
  const changed = new ChangedKeys(follower.key);
  let heardAt = performance.now();
  let asking: NodeJS.Timeout | undefined;
  try {
    await alive(stop, async (lost) => {
      const snapshot = async () => {
        const { rows } = await client.query<{ snapshot: string }>(render(templates, 'snapshot', {}));
        return rows[0]?.snapshot ?? '';
      };
      const held = new UntilVisible(snapshot, lost);
      client.on('error', lost);
      await client.connect();
      service.on('error', lost);
      service.on('start', () => follower.onReady());
      service.on('data', (_lsn, message: Pgoutput.Message) => {
        heardAt = performance.now();
        const transaction = changed.take(message);
        if (!transaction) return;
        held.hold(transaction.xid, () => follower.onChange(transaction.keys));
      });
      service.on('heartbeat', () => {
        heardAt = performance.now();
      });
      asking = setInterval(() => {
        if (performance.now() - heardAt > silentMs)
          lost(new Error('Connection terminated: nothing is heard'));
        // With nothing held back, everything that has come has been told.
        else if (held.empty) void service.acknowledge(service.lastLsn(), true);
      }, acknowledgeMs);
      await service.subscribe(plugin, slot ?? temporaryName());
      lost(new Error('Connection terminated'));
    });
  } finally {
    clearInterval(asking);
    await service.destroy().catch(() => {});
    await client.end().catch(() => {});
  }
}

/** Unique on the server, where two processes may take over from each other. */
function temporaryName(): string {
  return `readback_${process.pid}_${randomBytes(6).toString('hex')}`;
}

/** Values as the warehouse gives them everywhere else, so that keys are the same texts. */
class ExactTexts extends PgoutputPlugin {
  override parse(buffer: Buffer): Pgoutput.Message {
    const message = super.parse(buffer);
    if (message.tag === 'relation')
      for (const column of message.columns) column.parser = exactTexts.getTypeParser(column.typeOid);
    return message;
  }
}

class OnTemporarySlot extends ExactTexts {
  readonly #templates: Templates;

  constructor(options: ConstructorParameters<typeof PgoutputPlugin>[0], templates: Templates) {
    super(options);
    this.#templates = templates;
  }

  override async start(client: pg.Client, slot: string, lastLsn: string): Promise<unknown> {
    await client.query(render(this.#templates, 'temporary_slot', { slot }));
    return super.start(client, slot, lastLsn);
  }
}
