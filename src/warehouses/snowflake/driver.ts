import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type * as driver from 'snowflake-sdk';

export type Driver = Pick<typeof driver, 'createConnection'>;

/**
 * Read by the driver while it loads. Without them it asks the metadata addresses of three clouds (and AWS for the
 * caller's identity), loads a native library, and reports the form of the account's name to the vendor.
 */
const quietly = {
  SNOWFLAKE_DISABLE_PLATFORM_DETECTION: 'true',
  SNOWFLAKE_DISABLE_MINICORE: 'true',
  SF_TELEMETRY_DISABLE_CONNECTION_SHAPE: 'true',
};

const silent = (): void => {};
let loading: Promise<Driver> | undefined;

/** Loads the driver once: without a log file in the working directory, without a word on the console. */
export function loadDriver(): Promise<Driver> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Driver> {
  Object.assign(process.env, quietly);
  const { default: loaded } = await import('snowflake-sdk');
  loaded.configure({
    logLevel: 'OFF',
    additionalLogToConsole: false,
    customLogger: { error: silent, warn: silent, info: silent, debug: silent, trace: silent },
    // The driver's own parser evaluates a variant that is not JSON as JavaScript (dist/lib/global_config.js). Ours is
    // never asked, see `keepRaw`; this is for the day it is.
    jsonColumnVariantParser: (text) => text,
  });
  reportUnreadableChunks();
  tellStatementTypes();
  return loaded;
}

const require = createRequire(import.meta.url);

/** A class inside the driver, for what it does not let out. */
function inside<Prototype>(file: string, method: keyof Prototype): Prototype {
  const { prototype } = require(`snowflake-sdk/dist/lib/connection/result/${file}`) as {
    prototype: Prototype;
  };
  if (typeof prototype[method] !== 'function') throw untested();
  return prototype;
}

function untested(): Error {
  return new Error('this version of snowflake-sdk is not the one that was tested');
}

/** Emitted by a statement when a part of its result is not what it should be. */
export const unreadable = 'unreadable';

interface Chunk {
  getRows(): unknown;
  _statement: EventEmitter;
}

/**
 * The driver parses a part of a result in a callback where nothing catches: one that is not JSON (a page of a proxy) ends
 * the process when it was fetched ahead, and otherwise is never heard of again. Now the statement tells.
 */
function reportUnreadableChunks(): void {
  const prototype = inside<Chunk>('chunk.js', 'getRows');
  const { getRows } = prototype;
  prototype.getRows = function (this: Chunk) {
    let rows: unknown;
    try {
      rows = getRows.call(this);
    } catch {
      // The parser's words would quote the data.
    }
    if (Array.isArray(rows) && rows.every((row) => Array.isArray(row?.values))) return rows;
    this._statement.emit(unreadable);
    return [];
  };
}

interface Result {
  getNumUpdatedRows(): number;
  _statementTypeId: unknown;
}

/** The driver is told the type of each statement and shows nobody; the number of changed rows is asked for by nobody. */
function tellStatementTypes(): void {
  inside<Result>('result.js', 'getNumUpdatedRows').getNumUpdatedRows = function (this: Result) {
    return Number(this._statementTypeId);
  };
}

/** What the server takes the statement for. */
export function isSelect(statement: driver.RowStatement): boolean {
  return statement.getNumUpdatedRows() === 0x1000;
}

/**
 * Makes the columns of a result give what the server sent. The driver's conversions lose digits, report values they
 * cannot hold to the vendor, evaluate variants, and throw where nothing catches (a null in a structured array).
 */
export function keepRaw(columns: driver.Column[]): void {
  for (const column of columns) {
    const index = column.getIndex();
    const raw = (row: { values: unknown[] }) => row.values[index];
    for (const name of ['_getRowValue', '_getRowValueAsString']) {
      if (typeof Reflect.get(column, name) !== 'function') throw untested();
      Reflect.set(column, name, raw);
    }
  }
}
