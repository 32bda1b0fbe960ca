import type { FastifyInstance } from 'fastify';
import type { Project, Signal } from '../config/model.ts';
import { encodeEntity } from '../ledger/entity.ts';
import { poke } from '../ledger/pokes.ts';
import type { Queryable } from '../store/queries.ts';
import { readKeys } from '../warehouses/keys.ts';
import { refuse } from './refuse.ts';

/**
 * `POST /signals/<name>/poke`, for whoever knows that something changed: after a dbt run, from an application. 202 is
 * answered once the poke is committed in the ledger, so that it outlives every process of ours.
 */
export function addPokes(app: FastifyInstance, project: Project, ledger: Queryable): void {
  app.post<{ Params: { name: string }; Body: string | undefined }>(
    '/signals/:name/poke',
    async (request, reply) => {
      const signal = project.signals.get(request.params.name);
      if (!signal?.trigger?.webhook)
        return refuse(reply, 404, 'there is no signal of this name with trigger: { webhook: true }');
      const wanted = readBody(request.body ?? '', signal);
      if (!wanted)
        return refuse(
          reply,
          400,
          `write nothing, or {"keys": [[…], …]} with ${signal.key.join(', ')} of each`,
        );
      if (!(await poke(ledger, signal.name, wanted.entities)))
        return refuse(reply.header('retry-after', '1'), 429, 'too many pokes of this signal wait already');
      return reply.code(202).send({ accepted: signal.name });
    },
  );
}

/** Undefined when it makes no sense. */
function readBody(body: string, { key }: Signal): { entities: string[] | undefined } | undefined {
  if (body.trim() === '') return { entities: undefined };
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    const names = Object.keys(parsed);
    if (names.length === 0) return { entities: undefined };
    const keys = 'keys' in parsed && names.length === 1 ? readKeys(parsed.keys, key.length) : undefined;
    return keys && { entities: keys.flatMap((values) => encodeEntity(values) ?? []) };
  } catch {
    return undefined;
  }
}
