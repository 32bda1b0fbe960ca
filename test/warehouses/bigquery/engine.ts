import {
  BIGINT,
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  DuckDBScalarFunction,
  StatementType,
  VARCHAR,
} from '@duckdb/node-api';
import { farmFingerprint } from './farm.ts';
import { type ListParameter, macros, SyntaxFault, type Translation, translate } from './googlesql.ts';
import { fieldOf, type WireField, wireRow } from './wire.ts';

/** BigQuery's `ErrorProto`. */
export class QueryFault extends Error {
  readonly reason: string;
  constructor(message: string, reason = 'invalidQuery') {
    super(message);
    this.reason = reason;
  }
}

export interface Described {
  statementType: string;
  fields: WireField[];
}

/** The SQL behind the server. */
export class Engine {
  readonly #instance: DuckDBInstance;
  readonly #owner: DuckDBConnection;

  private constructor(instance: DuckDBInstance, owner: DuckDBConnection) {
    this.#instance = instance;
    this.#owner = owner;
  }

  static async open(): Promise<Engine> {
    const instance = await DuckDBInstance.create(':memory:', { errors_as_json: 'true', threads: '2' });
    const owner = await instance.connect();
    await owner.run(`set global TimeZone = 'UTC'`);
    owner.registerScalarFunction(farm());
    for (const macro of macros) await owner.run(macro);
    return new Engine(instance, owner);
  }

  /** DuckDB's own SQL, as whoever owns the data. */
  async execute(sql: string): Promise<void> {
    await this.#owner.run(sql);
  }

  async describe(googleSql: string, parameters: readonly ListParameter[]): Promise<Described> {
    const connection = await this.#instance.connect();
    try {
      const { prepared, statementType } = await prepare(connection, googleSql, parameters);
      const described = { statementType, fields: statementType === 'SELECT' ? fieldsOf(prepared) : [] };
      prepared?.destroySync();
      return described;
    } finally {
      connection.closeSync();
    }
  }

  async run(googleSql: string, parameters: readonly ListParameter[]): Promise<Running> {
    const connection = await this.#instance.connect();
    return new Running(connection, googleSql, parameters);
  }

  close(): void {
    this.#owner.closeSync();
    this.#instance.closeSync();
  }
}

/** A query at work, and then its result in a table, as BigQuery keeps it. */
export class Running {
  readonly #connection: DuckDBConnection;
  readonly done: Promise<{ rows: number; fields: WireField[] }>;

  constructor(connection: DuckDBConnection, googleSql: string, parameters: readonly ListParameter[]) {
    this.#connection = connection;
    this.done = this.#fill(googleSql, parameters);
    this.done.catch(() => {});
  }

  interrupt(): void {
    this.#connection.interrupt();
  }

  async page(fields: readonly WireField[], from: number, to: number): Promise<unknown[]> {
    const kept = `select * from result where rowid >= ${from} and rowid < ${to}`;
    const rows = await (await this.#connection.run(kept)).getRows();
    return rows.map((row) => wireRow(fields, row));
  }

  close(): void {
    this.#connection.closeSync();
  }

  async #fill(
    googleSql: string,
    parameters: readonly ListParameter[],
  ): Promise<{ rows: number; fields: WireField[] }> {
    const { prepared, translation } = await prepare(this.#connection, googleSql, parameters);
    const fields = fieldsOf(prepared);
    prepared?.destroySync();
    const names = fields.map((_, at) => `c${at}`).join(', ');
    const filling = await this.#connection.prepare(
      `create temp table result (${names}) as ${translation.sql}`,
    );
    try {
      const [[rows = 0] = []] = await (await filling.run()).getRows();
      return { rows: Number(rows), fields };
    } catch (error) {
      throw faultOf(error, translation);
    } finally {
      filling.destroySync();
    }
  }
}

interface Prepared {
  prepared: DuckDBPreparedStatement | undefined;
  statementType: string;
  translation: Translation;
}

async function prepare(
  connection: DuckDBConnection,
  googleSql: string,
  parameters: readonly ListParameter[],
): Promise<Prepared> {
  let translation: Translation;
  try {
    translation = translate(googleSql, parameters);
  } catch (error) {
    if (error instanceof SyntaxFault) throw new QueryFault(`${error.message}${at(error.place)}`);
    throw error;
  }
  const statements = await connection.extractStatements(translation.sql).catch((error: unknown) => {
    if (/native callback/.test(String(error)))
      throw new QueryFault('Syntax error: Unexpected end of statement');
    throw faultOf(error, translation);
  });
  if (statements.count !== 1) return { prepared: undefined, statementType: 'SCRIPT', translation };
  const prepared = await statements.prepare(0).catch((error: unknown) => {
    throw faultOf(error, translation);
  });
  return { prepared, statementType: StatementType[prepared.statementType] ?? 'UNKNOWN', translation };
}

function fieldsOf(prepared: DuckDBPreparedStatement | undefined): WireField[] {
  if (!prepared) return [];
  const fields = Array.from({ length: prepared.columnCount }, (_, index) =>
    fieldOf(prepared.columnName(index), prepared.columnType(index)),
  );
  const names = fields.map(({ name }) => name.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return fields;
  throw new QueryFault(
    `Duplicate column names in the result are not supported. Found duplicate(s): ${twice}`,
  );
}

function faultOf(error: unknown, translation: Translation): QueryFault {
  const text = error instanceof Error ? error.message : String(error);
  const report = JSON.parse(text.slice(text.indexOf('{'))) as Record<string, string>;
  const position = report.position === undefined ? undefined : translation.placeOf(Number(report.position));
  return new QueryFault(`${inGoogleWords(report.exception_message ?? text)}${at(position)}`);
}

function at(place: { line: number; column: number } | undefined): string {
  return place ? ` at [${place.line}:${place.column}]` : '';
}

function inGoogleWords(message: string): string {
  const [, name, guess] = /column "?(\w+)"? not found[\s\S]*?bindings: "(\w+)/i.exec(message) ?? [];
  if (guess !== undefined) return `Unrecognized name: ${name}; Did you mean ${guess}?`;
  return message.replace(/\n[\s\S]*/, '').replace(/^syntax error/, 'Syntax error');
}

function farm(): DuckDBScalarFunction {
  return DuckDBScalarFunction.create({
    name: 'farm_fingerprint',
    returnType: BIGINT,
    parameterTypes: [VARCHAR],
    mainFunction: (_, input, output) => {
      const texts = input.getColumnVector(0);
      for (let row = 0; row < input.rowCount; row++)
        output.setItem(row, farmFingerprint(String(texts.getItem(row))));
      output.flush();
    },
  });
}
