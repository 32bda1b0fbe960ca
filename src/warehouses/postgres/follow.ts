import type pg from 'pg';
import { ReadbackError } from '../../errors.ts';
import type { Templates } from '../template.ts';
import type { Changes, Follower } from '../warehouse.ts';
import { isLost, unreachable } from './failure.ts';
import { listen } from './listen.ts';

/** Follows a channel or a publication; see `Warehouse.follow`. */
export async function follow(
  server: { config(): Promise<pg.ClientConfig>; shown: string },
  templates: Templates,
  changes: Changes,
  follower: Follower,
  stop: AbortSignal,
): Promise<void> {
  try {
    const config = await server.config();
    if ('listen' in changes) return await listen(config, templates, changes.listen, follower, stop);
    const { replicate } = await import('./replicate.ts');
    return await replicate(config, templates, changes.replicate, follower, stop);
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string };
    if (isLost(error) || !/^[0-9A-Z]{5}$/.test(code)) throw unreachable(error, server.shown);
    throw new ReadbackError('WAREHOUSE_QUERY', message, {
      hint: hints.find(([pattern]) => pattern.test(code))?.[1],
      cause: error,
    });
  }
}

/** What to mend, by SQLSTATE. */
const hints: readonly [RegExp, string][] = [
  [/^55000/, 'set wal_level = logical on the server, and restart it'],
  [/^42501/, 'the role needs REPLICATION: alter role … replication'],
  [/^42704/, 'create the publication: create publication … for table …'],
  [/^55006/, 'another session follows this slot; give each signal its own, or none'],
  [/^53400/, 'raise max_replication_slots on the server'],
];
