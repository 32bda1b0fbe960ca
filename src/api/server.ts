import { hash, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify, { type FastifyInstance } from 'fastify';
import type { ApiConfig, Project } from '../config/model.ts';
import type { Secret } from '../config/secret.ts';
import type { Log } from '../log.ts';
import type { Queryable } from '../store/queries.ts';
import { addMetrics } from './metrics.ts';
import { addPokes } from './pokes.ts';
import { refuse } from './refuse.ts';

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

/** Takes pokes and tells metrics over HTTP, to whoever has the token. */
export async function startApi(config: ApiConfig, options: ApiOptions): Promise<Api> {
  const stopping = new AbortController();
  let app = buildApi(config.token, options);
  let url: string | undefined;
  const bind = async (): Promise<void> => {
    url = await app.listen({ host: config.host, port: config.port });
    options.log.info({ url }, 'the API listens');
  };
  const bindAgain = async (error: Error): Promise<void> => {
    options.log.warn(
      { host: config.host, port: config.port, error: error.message },
      'the API does not listen here',
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
    refuse(reply, 404, 'there are POST /signals/<name>/poke and GET /metrics, and no more'),
  );
  app.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
    const { statusCode = 503 } = error;
    if (statusCode >= 500) log.warn({ error: error.message }, 'a request of the API failed');
    return refuse(
      reply,
      statusCode,
      statusCode === 413 ? `a body is at most ${bodyBytes} bytes` : answers[statusCode],
    );
  });
  addPokes(app, project, ledger);
  addMetrics(app, project, ledger);
  return app;
}

const answers: Readonly<Record<number, string>> = { 503: 'the ledger does not answer; try again' };

/** Compares digests, which have one length, in a time that says nothing about how much of the token was right. */
function checker(token: Secret): (header: string | undefined) => boolean {
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
  const expected = digest(`Bearer ${token.reveal()}`);
  return (header = '') => timingSafeEqual(digest(header), expected);
}
