import type pg from 'pg';
import type { Queryable } from './queries.ts';

/**
 * Does steps in their order. On a connection that need not wait for one answer before the next statement (`pipeline`), all
 * of them are sent at once and take one round trip, in one piece, as each piece costs both sides 50 µs and more; each step
 * must begin with its statement, without waiting first. One that fails in a transaction fails all after it, so that nothing
 * may be committed in the same breath.
 */
export async function together<Results extends readonly unknown[]>(
  client: Queryable,
  steps: { readonly [At in keyof Results]: () => Promise<Results[At]> },
): Promise<Results> {
  const all: readonly (() => Promise<unknown>)[] = steps;
  if ((client as Partial<pg.PoolClient>).pipeline) {
    const { stream } = (client as unknown as { connection: pg.Connection }).connection;
    stream.cork();
    const answers = all.map((step) => step());
    stream.uncork();
    return (await Promise.all(answers)) as unknown as Results;
  }
  const results: unknown[] = [];
  for (const step of all) results.push(await step());
  return results as unknown as Results;
}
