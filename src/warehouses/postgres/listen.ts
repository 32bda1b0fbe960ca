import type pg from 'pg';
import { quoteName } from '../compile.ts';
import { readKeys } from '../keys.ts';
import { render, type Templates } from '../template.ts';
import type { Follower } from '../warehouse.ts';
import { alive } from './alive.ts';

/** A connection is asked this often whether it is still there: a cut cable says nothing by itself … */
const askMs = 30_000;
/** … and has this long to answer. */
const answerMs = 10_000;

/** Follows a channel of NOTIFY. Returns once `stop` is raised, throws when the connection is lost. */
export async function listen(
  config: pg.ClientConfig,
  templates: Templates,
  channel: string,
  follower: Follower,
  stop: AbortSignal,
): Promise<void> {
  const { default: driver } = await import('pg');
  const client = new driver.Client({ ...config, query_timeout: answerMs });
  let asking: NodeJS.Timeout | undefined;
  try {
    await alive(stop, async (lost) => {
      client.on('error', lost);
      client.on('end', () => lost(new Error('Connection terminated')));
      client.on('notification', ({ payload = '' }) =>
        follower.onChange(keysIn(payload, follower.key.length)),
      );
      await client.connect();
      await client.query(render(templates, 'listen', { channel: quoteName(channel) }));
      asking = setInterval(() => void client.query(render(templates, 'still_there', {})).catch(lost), askMs);
      follower.onReady();
    });
  } finally {
    clearInterval(asking);
    await client.end().catch(() => {});
  }
}

/**
 * The keys that a payload names: an entity as it is written everywhere (a single column's value, several as a JSON array),
 * or `{"keys": [[…], …]}`. Undefined, for any entity, when it is empty or makes no such sense.
 */
export function keysIn(payload: string, columns: number): string[][] | undefined {
  const parsed = /^\s*[[{]/.test(payload) ? parseJson(payload) : undefined;
  if (typeof parsed === 'object' && parsed !== null && Object.hasOwn(parsed, 'keys'))
    return readKeys((parsed as { keys: unknown }).keys, columns);
  if (columns > 1) return readKeys([parsed], columns);
  return payload === '' ? undefined : [[payload]];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
