import type { Connection, RowStatement } from 'snowflake-sdk';
import { ReadbackError } from '../../errors.ts';
import { Deadline } from '../deadline.ts';
import { loadDriver } from './driver.ts';
import { isLost, unreachable } from './failure.ts';
import type { Login } from './login.ts';

/** Shorter than any read's deadline, so that an address where nothing answers is told apart from a slow query. */
const loginMs = 30_000;
/** How long closing waits for the server to hear of it. */
const farewellMs = 2000;

export interface Request {
  sql: string;
  params?: string[];
  /** Compiles the statement and describes its result, without running it. */
  describeOnly?: boolean;
  /** Shown in the vendor's query history. */
  label?: string | undefined;
}

/**
 * One session with the account, opened on first use and shared by all queries: a session of Snowflake runs many statements
 * at one time, and a login takes longer than most of them. A session that is lost is opened anew by the next query.
 */
export class Session {
  readonly #login: Login;
  readonly #begin: string;
  #opening: Promise<Connection> | undefined;

  /** @param begin a statement that every session begins with */
  constructor(login: Login, begin: string) {
    this.#login = login;
    this.#begin = begin;
  }

  get shown(): string {
    return this.#login.shown;
  }

  /** Runs one statement. The server ends it at the deadline, and is told to end it when the client stops waiting. */
  async run(request: Request, deadline: Deadline): Promise<RowStatement> {
    deadline.check();
    this.#opening ??= this.#open();
    const opening = this.#opening;
    try {
      return await execute(await deadline.race(opening), request, deadline);
    } catch (error) {
      if (isLost(error)) this.#forget(opening);
      throw error;
    }
  }

  /** Ends the session on the server; waits for a login under way no longer than for an answer. */
  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    if (opening)
      await atMost(
        farewellMs,
        opening.then(end, () => {}),
      );
  }

  async #open(): Promise<Connection> {
    const deadline = new Deadline({ timeoutMs: loginMs });
    try {
      const { createConnection } = await loadDriver();
      const connection = createConnection(this.#login.options);
      const connecting = connect(connection);
      await deadline.race(connecting).catch((error) => {
        // A session that comes after nobody waits for it any more ends at once.
        connecting.then(() => end(connection)).catch(() => {});
        throw error;
      });
      await execute(connection, { sql: this.#begin }, deadline);
      return connection;
    } catch (error) {
      this.#opening = undefined;
      throw deadline.failure ? this.#silent() : unreachable(error, this.shown);
    } finally {
      deadline.dispose();
    }
  }

  #silent(): ReadbackError {
    const message = `${this.shown}: no answer to the login within ${loginMs / 1000} s`;
    return new ReadbackError('WAREHOUSE_UNREACHABLE', message, {
      hint: 'check account or url, and that no firewall is in between',
    });
  }

  #forget(opening: Promise<Connection>): void {
    if (this.#opening !== opening) return;
    this.#opening = undefined;
    opening.then(end).catch(() => {});
  }
}

function connect(connection: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
}

function execute(connection: Connection, request: Request, deadline: Deadline): Promise<RowStatement> {
  const { sql, params, describeOnly, label } = request;
  deadline.check();
  let done = false;
  const answer = new Promise<RowStatement>((resolve, reject) => {
    const statement = connection.execute({
      sqlText: sql,
      ...(params && { binds: params }),
      ...(describeOnly && { describeOnly }),
      streamResult: true,
      parameters: {
        MULTI_STATEMENT_COUNT: 1,
        QUERY_TAG: label === undefined ? 'readback' : `readback ${label}`,
        STATEMENT_TIMEOUT_IN_SECONDS: Math.max(1, Math.ceil(deadline.remainingMs / 1000)),
      },
      complete: (error, finished) => {
        done = true;
        if (error) reject(error);
        else resolve(finished);
      },
    });
    deadline.onStop(() => {
      if (!done) statement.cancel(() => {});
    });
  });
  return deadline.race(answer);
}

function end(connection: Connection): Promise<void> {
  const ended = new Promise<void>((resolve) => connection.destroy(() => resolve()));
  return atMost(farewellMs, ended);
}

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
