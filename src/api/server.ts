import { hash, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { ApiConfig, Project, Signal } from '../config/model.ts';
import type { Secret } from '../config/secret.ts';
import { encodeEntity } from '../ledger/entity.ts';
import { poke } from '../ledger/pokes.ts';
import type { Log } from '../log.ts';
import type { Queryable } from '../store/queries.ts';
import { readKeys } from '../warehouses/keys.ts';

/** A few thousand keys. */
const bodyBytes = 64 * 1024;
const requestMs = 10_000;
/** Another process may have the port; it is asked for again this often, should that one end. */
const bindAgainMs = 5_000;

export interface ApiOptions {
  project: Project;
  ledger: Queryable;
  log: Log;
}

/** A running API. */
export interface Api {
  /** `http://127.0.0.1:7333`; undefined while another process has the port. */
  url(): string | undefined;
  close(): Promise<void>;
}

/**
 * `POST /signals/<name>/poke`, for whoever knows that something changed: after a dbt run, from an application. 202 is
 * answered once the poke is committed in the ledger, so that it outlives every process of ours.
 */
export async function startApi(config: ApiConfig, options: ApiOptions): Promise<Api> {
  const stopping = new AbortController();
  let app = buildApi(config.token, options);
  let url: string | undefined;
  const bind = async (): Promise<void> => {
    url = await app.listen({ host: config.host, port: config.port });
    options.log.info({ url }, 'taking pokes');
  };
  const bindAgain = async (error: Error): Promise<void> => {
    options.log.warn(
      { host: config.host, port: config.port, error: error.message },
      'pokes are not taken here',
    );
    while (!stopping.signal.aborted && url === undefined) {
      await sleep(bindAgainMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      app = buildApi(config.token, options);
      await bind().catch(() => {});
    }
  };
  let binding = Promise.resolve();
  await bind().catch((error: Error) => {
    binding = bindAgain(error);
  });
  return {
    url: () => url,
    close: async () => {
      stopping.abort();
      await binding;
      await app.close();
    },
  };
}

function buildApi(token: Secret, { project, ledger, log }: ApiOptions): FastifyInstance {
  const app = fastify({ bodyLimit: bodyBytes, requestTimeout: requestMs, forceCloseConnections: true });
  const authorised = checker(token);
  // Before the body is read: who has no token learns nothing, and costs nothing.
  app.addHook('onRequest', async (request, reply) => {
    if (!authorised(request.headers.authorization))
      return refuse(
        reply.header('www-authenticate', 'Bearer'),
        401,
        'send the token as Authorization: Bearer',
      );
    return undefined;
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.setNotFoundHandler((_request, reply) =>
    refuse(reply, 404, 'there is POST /signals/<name>/poke, and no more'),
  );
  app.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
    const { statusCode = 503 } = error;
    if (statusCode >= 500) log.warn({ error: error.message }, 'a poke was not taken');
    return refuse(
      reply,
      statusCode,
      statusCode === 413 ? `a body is at most ${bodyBytes} bytes` : answers[statusCode],
    );
  });
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
  return app;
}

const answers: Readonly<Record<number, string>> = { 503: 'the ledger does not answer; try again' };

function refuse(reply: FastifyReply, status: number, error = 'this request makes no sense'): FastifyReply {
  return reply.code(status).send({ error });
}

/** Compares digests, which have one length, in a time that says nothing about how much of the token was right. */
function checker(token: Secret): (header: string | undefined) => boolean {
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
  const expected = digest(`Bearer ${token.reveal()}`);
  return (header = '') => timingSafeEqual(digest(header), expected);
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
