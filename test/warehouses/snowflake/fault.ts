/** A failed statement as Snowflake answers it. */
export class SqlFault extends Error {
  readonly code: string;
  readonly sqlState: string;
  readonly line: number;
  readonly pos: number;

  constructor(code: string, sqlState: string, message: string, line = -1, pos = -1) {
    super(message);
    this.code = code;
    this.sqlState = sqlState;
    this.line = line;
    this.pos = pos;
  }
}

export const cancelled = () => new SqlFault('000604', '57014', 'SQL execution canceled');

export const timedOut = (seconds: number) =>
  new SqlFault(
    '000630',
    '57014',
    `Statement reached its statement or warehouse timeout of ${seconds} second(s) and was canceled.`,
  );

/** DuckDB's error in the words, numbers and places of Snowflake: only an unknown column has its place in the data. */
export function faultOf(error: unknown, sql: string): SqlFault {
  if (error instanceof SqlFault) return error;
  const text = error instanceof Error ? error.message : String(error);
  const start = text.indexOf('{');
  const report = start < 0 ? {} : JSON.parse(text.slice(start));
  const { exception_type: type = '', exception_message: message = text, position } = report;
  const before = Buffer.from(sql)
    .subarray(0, Number(position ?? 0))
    .toString()
    .split('\n');
  const [line, pos] = [before.length, [...(before.at(-1) ?? '')].length];
  if (/Parser|Syntax/.test(type) || /native callback/.test(text)) {
    const place = `syntax error line ${line} at position ${pos} unexpected '${/near "(.*?)"/.exec(message)?.[1] ?? '<EOF>'}'.`;
    return new SqlFault('001003', '42000', `SQL compilation error:\n${place}`);
  }
  const table = /Table with name (\w+) does not exist/.exec(message)?.[1];
  if (table) {
    const told = `Object '${table.toUpperCase()}' does not exist or not authorized.`;
    return new SqlFault('002003', '42S02', `SQL compilation error:\n${told}`);
  }
  if (/Binder|Catalog/.test(type)) {
    const name = /column "?(\w+)"?/i.exec(message)?.[1]?.toUpperCase() ?? message;
    const told = `SQL compilation error: error line ${line} at position ${pos}\ninvalid identifier '${name}'`;
    return new SqlFault('000904', '42000', told, line, pos);
  }
  return new SqlFault('100051', '22012', message);
}
