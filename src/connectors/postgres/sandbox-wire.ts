import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind } from '../connector.ts';
import type { Faults } from '../sandbox.ts';
import type { RollingWindow } from '../sandbox-window.ts';
import {
  errorFrame,
  Frames,
  letterOf,
  nothingAtAll,
  parameterOf,
  ready,
  sqlOf,
  withParameter,
  withSql,
} from './sandbox-frames.ts';

export interface LoggedRequest {
  method: string;
  path: string;
  status: number;
  at: number;
}

/** What all connections of a sandbox share. */
export interface Desk {
  server: { host: string; port: number };
  faults: Faults;
  window: RollingWindow | undefined;
  log: LoggedRequest[];
  /** Keys of items that were refused for good. */
  refused: Set<string>;
  /** Looks at what the table holds now. */
  look(): Promise<void>;
}

/** A statement on its way. */
interface Statement {
  entry: LoggedRequest;
  frames: Buffer[];
  sql: string;
  parameter: string;
  isWrite: boolean;
  isRead: boolean;
}

/** SSLRequest (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
const sslRequest = 80877103;

/**
 * One connection to the sandbox: it goes on to the true server, and the statements on it meet the faults. Only the
 * extended protocol counts as a request; what prepares the session does not.
 */
export function relay(client: Socket, desk: Desk): void {
  const server = connect(desk.server);
  const fromServer = new Frames();
  let fromClient: Frames | undefined;
  let burst: Buffer[] = [];
  let isIn = false;
  /** Gets the answer to the statement under way, ready message included. */
  let answered: ((answer: Buffer[]) => void) | undefined;
  let answer: Buffer[] = [];

  const tell = (...frames: Buffer[]) => {
    if (client.writable) client.write(Buffer.concat(frames));
  };
  const ask = (frames: Buffer[]) =>
    new Promise<Buffer[]>((resolve) => {
      answered = resolve;
      server.write(Buffer.concat(frames));
    });

  const take = async (statement: Statement) => {
    const { entry } = statement;
    const reaction = await react(statement, desk, ask);
    entry.status = reaction === 'cut' ? 0 : statusOf(reaction);
    if (reaction === 'cut') client.resetAndDestroy();
    else tell(...reaction);
  };
  let work = Promise.resolve();

  client.on('data', (piece: Buffer) => {
    if (!fromClient) {
      if (piece.readInt32BE(4) === sslRequest) return void client.write('N');
      fromClient = new Frames();
      return void server.write(piece);
    }
    for (const message of fromClient.push(piece)) {
      burst.push(message);
      if (isIn && letterOf(message) !== 'S' && letterOf(message) !== 'Q' && letterOf(message) !== 'X')
        continue;
      const frames = burst;
      burst = [];
      const statement = isIn ? statementOf(frames) : undefined;
      if (!statement) server.write(Buffer.concat(frames));
      else {
        desk.log.push(statement.entry);
        work = work
          .then(() => take(statement))
          .catch(() => {
            client.destroy();
          });
      }
    }
  });
  server.on('data', (piece: Buffer) => {
    for (const message of fromServer.push(piece)) {
      if (!isIn && letterOf(message) === 'E')
        desk.log.push({ method: 'CONNECT', path: '/', status: 401, at: Date.now() });
      if (letterOf(message) === 'Z') isIn = true;
      if (!answered) {
        tell(message);
        continue;
      }
      answer.push(message);
      if (letterOf(message) !== 'Z') continue;
      const done = answered;
      answered = undefined;
      done(answer);
      answer = [];
    }
  });
  // A client that gave up does not stop what it has sent.
  client.on('close', () => void work.then(() => server.end()));
  server.on('close', () => client.destroy());
  client.on('error', () => {});
  server.on('error', () => {});
}

function statementOf(frames: Buffer[]): Statement | undefined {
  const parse = frames.find((one) => letterOf(one) === 'P');
  const bind = frames.find((one) => letterOf(one) === 'B');
  if (!parse || !bind) return undefined;
  const sql = sqlOf(parse);
  const isWrite = /insert into|delete from/.test(sql);
  const entry = { method: isWrite ? 'WRITE' : 'READ', path: pathOf(sql), status: 0, at: Date.now() };
  const isRead = sql.includes('as standing') && !isWrite;
  return { entry, frames, sql, parameter: parameterOf(bind), isWrite, isRead };
}

function pathOf(sql: string): string {
  return /"public"\."(\w+)"/.exec(sql)?.[1] ?? 'catalogue';
}

function statusOf(answer: readonly Buffer[]): number {
  return answer.some((one) => letterOf(one) === 'E') ? 400 : 200;
}

/** The order in which a statement meets limits, faults and the server. */
async function react(
  statement: Statement,
  desk: Desk,
  ask: (frames: Buffer[]) => Promise<Buffer[]>,
): Promise<Buffer[] | 'cut'> {
  const { isWrite, isRead, sql, parameter } = statement;
  const fault = (kind: FaultKind) => desk.faults.take(kind, () => `${sql}\n${parameter}`);
  const slow = fault('slow');
  if (slow) await sleep(slow.delayMs ?? 1000);
  if (fault('unauthorized')) return fatal('28000', 'role "sandbox" is not permitted to log in');
  if (desk.window?.admit(Date.now()).admitted === false || fault('throttle') || fault('throttle_bare'))
    return fatal('53300', 'sorry, too many clients already');
  if (fault('garbage')) return [nothingAtAll];
  if (isRead && fault('read_error')) return fatal('XX000', 'could not read block 0');
  if (isWrite && fault('error_before_write')) return [errorFrame('ERROR', 'XX000', 'internal error'), ready];
  if (isWrite && fault('cut_before_write')) return 'cut';
  if (isWrite) tamper(statement, desk);
  if (isRead && fault('stale_read')) beforeLastWrite(statement);

  const answer = await ask(statement.frames);
  if (!isWrite) return answer;
  await desk.look();
  if (fault('error_after_write'))
    return fatal('57P01', 'terminating connection due to administrator command');
  return fault('cut_after_write') ? 'cut' : answer;
}

function fatal(code: string, message: string): Buffer[] {
  return [errorFrame('FATAL', code, message), ready];
}

interface Item {
  key: string;
  row: Record<string, string>;
}

/** The faults that hit one item of a call: the server gets other values than were sent. */
function tamper(statement: Statement, { faults, refused }: Desk): void {
  const isDelete = statement.sql.includes('delete from');
  const items = (JSON.parse(statement.parameter) as Item[]).flatMap((item) => {
    const fault = (kind: FaultKind) => faults.take(kind, () => JSON.stringify(item));
    if (fault('accept_without_write')) return [];
    if (fault('reject_item')) refused.add(item.key);
    // The table's own columns refuse it: a price is no text.
    if (refused.has(item.key)) return [changed(item, () => 'not a value of this column', isDelete)];
    if (fault('normalise')) return [changed(item, (value) => (value === 'true' ? 't' : value))];
    if (isDelete && fault('alter')) keepRows(statement);
    if (fault('alter')) return [changed(item, (value) => (/^[\d.]+$/.test(value) ? `${value}1` : value))];
    return [item];
  });
  statement.frames = statement.frames.map((one) =>
    letterOf(one) === 'B' ? withParameter(one, JSON.stringify(items)) : one,
  );
}

/** As a table's rule may do: the row stays, and the answer looks as if it did not. */
function keepRows(statement: Statement): void {
  const kept = (sql: string) =>
    sql.replace(/delete from (\S+) as standing using/, 'update $1 as standing set note = standing.note from');
  statement.frames = statement.frames.map((one) =>
    letterOf(one) === 'P' ? withSql(one, kept(sqlOf(one))) : one,
  );
}

/** Only numbers and truths are touched, so that the row keeps its key, unless all of it is to be. */
function changed({ key, row }: Item, change: (value: string) => string, all = false): Item {
  const entries = Object.entries(row).map(([name, value]): [string, string] => [
    name,
    all || /^([\d.]+|true|false)$/.test(value) ? change(value) : value,
  ]);
  return { key, row: Object.fromEntries(entries) };
}

/** Asks the view that holds what stood there before, as a standby that lags does. */
function beforeLastWrite(statement: Statement): void {
  statement.frames = statement.frames.map((one) =>
    letterOf(one) === 'P' ? withSql(one, sqlOf(one).replaceAll('"public".', '"sandbox".')) : one,
  );
}
