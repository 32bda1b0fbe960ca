/** A statement in DuckDB's SQL, and where each part of it stood in GoogleSQL. */
export interface Translation {
  sql: string;
  /** Line and column, from 1, of a byte of `sql`; columns count characters. */
  placeOf(byte: number): { line: number; column: number };
}

/** A list parameter of a query, by name. */
export interface ListParameter {
  name: string;
  type: string;
  values: string[];
}

interface Token {
  kind: 'comment' | 'string' | 'bytes' | 'name' | 'parameter' | 'word' | 'hex' | 'space' | 'other';
  text: string;
  at: number;
}

const kinds: readonly [Token['kind'], RegExp][] = [
  ['comment', /--[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\//y],
  ['bytes', /[bB](?:'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*")/y],
  [
    'string',
    /'''(?:[^\\]|\\[\s\S])*?'''|"""(?:[^\\]|\\[\s\S])*?"""|'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y,
  ],
  ['name', /`(?:[^`\\]|\\.)*`/y],
  ['parameter', /@\w+/y],
  ['hex', /0[xX][0-9a-fA-F]+/y],
  ['word', /[A-Za-z_]\w*/y],
  ['space', /\s+/y],
  ['other', /[\s\S]/y],
];

/** Types, and functions that DuckDB has under another name or in another form. The rest means the same to both. */
const words: Readonly<Record<string, string>> = {
  string: 'varchar',
  int64: 'bigint',
  float64: 'double',
  numeric: 'decimal(38, 9)',
  bignumeric: 'decimal(38, 18)',
  datetime: 'timestamp',
  timestamp: 'timestamptz',
  bytes: 'blob',
  struct: 'row',
  md5: 'google_md5',
  to_hex: 'google_to_hex',
  to_json_string: 'google_json',
  offset: 'google_offset',
  generate_array: 'generate_series',
};

/** What the words above need in DuckDB. */
export const macros = [
  'create macro google_md5(x) as unhex(md5(x))',
  'create macro google_to_hex(x) as lower(hex(x))',
  `create macro google_json(x) as coalesce(to_json(x)::varchar, 'null')`,
  'create macro google_offset(x) as x + 1',
];

/**
 * GoogleSQL as far as the exam and our own templates speak it, for DuckDB. Quotes, escapes and reserved words are
 * GoogleSQL's: what BigQuery could not read must not be read here.
 */
export function translate(googleSql: string, parameters: readonly ListParameter[] = []): Translation {
  const tokens = tokensOf(googleSql);
  const starts: { out: number; at: number }[] = [];
  let sql = '';
  let bytes = 0;
  /** Texts of tokens that something before them decided. */
  const decided = new Map<number, string>();
  for (const [index, token] of tokens.entries()) {
    if (isWord(token, 'unnest')) decideUnnest(tokens, index, decided);
    const spelt = token.kind === 'parameter' ? listText(token, parameters) : spell(token, tokens, index);
    const text = decided.get(index) ?? spelt;
    starts.push({ out: bytes, at: token.at });
    sql += text;
    bytes += Buffer.byteLength(text);
  }
  return { sql, placeOf: (byte) => placeIn(googleSql, sourceOf(starts, byte, googleSql.length)) };
}

/**
 * In GoogleSQL an unnested list can stand after IN, and its alias names the column. Of numbers in a row DuckDB makes
 * a table without making the list first.
 */
function decideUnnest(tokens: readonly Token[], index: number, decided: Map<number, string>): void {
  const close = closing(tokens, index);
  if (isWord(tokens[previous(tokens, index)], 'in')) {
    decided.set(index, '(select unnest').set(close, '))');
    return;
  }
  const open = next(tokens, index);
  if (isWord(tokens[next(tokens, open)], 'generate_array'))
    decided.set(index, '').set(open, '').set(close, '');
  if (!isWord(tokens[next(tokens, close)], 'as')) return;
  const alias = next(tokens, next(tokens, close));
  const name = tokens[alias]?.text ?? '';
  decided.set(alias, `${name}(${name})`);
}

/** HASH and ROWS are names in DuckDB and reserved in BigQuery, so they must stand in backticks. */
const reserved = /^(hash|rows|groups|qualify|window)$/i;

export class SyntaxFault extends Error {
  readonly place: { line: number; column: number };
  constructor(message: string, googleSql: string, at: number) {
    super(message);
    this.place = placeIn(googleSql, at);
  }
}

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < sql.length; ) {
    const token = tokenAt(sql, at);
    const before = tokens.at(-1);
    if (reserved.test(token.text))
      throw new SyntaxFault(`Syntax error: Unexpected keyword ${token.text}`, sql, at);
    if (token.kind === 'string' && before?.kind === 'string')
      throw new SyntaxFault('Syntax error: concatenated string literals need to be separated', sql, at);
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

function tokenAt(sql: string, at: number): Token {
  for (const [kind, pattern] of kinds) {
    pattern.lastIndex = at;
    const text = pattern.exec(sql)?.[0];
    if (text) return { kind, text, at };
  }
  throw new Error('unreachable');
}

function spell(token: Token, tokens: readonly Token[], index: number): string {
  const { kind, text } = token;
  if (kind === 'comment') return text.replaceAll(/[^\n]/g, ' ');
  if (kind === 'string') return `'${unescaped(text).replaceAll("'", "''")}'`;
  if (kind === 'bytes')
    return `from_base64('${Buffer.from(unescaped(text.slice(1)), 'latin1').toString('base64')}')`;
  if (kind === 'name') return tablePath(text);
  if (kind === 'hex') return String(BigInt(text));
  if (kind !== 'word' || isMember(tokens, index)) return text;
  const word = text.toLowerCase();
  return Object.hasOwn(words, word) ? (words[word] as string) : text;
}

/** A list parameter as a list of literals: DuckDB knows no types of parameters before they are bound. */
function listText({ text }: Token, parameters: readonly ListParameter[]): string {
  const found = parameters.find(({ name }) => name === text.slice(1));
  const type = found?.type.toLowerCase() ?? 'string';
  const items = (found?.values ?? []).map((value) => `'${value.replaceAll("'", "''")}'`);
  const list = `[${items.join(', ')}]`;
  if (type === 'bytes') return `list_transform(${list}, lambda x: from_base64(x))`;
  return `cast(${list} as ${words[type] ?? type}[])`;
}

/** `project.dataset.table` is one name here, and three to DuckDB, which knows no projects. */
function tablePath(quoted: string): string {
  const parts = unescaped(quoted).split('.').slice(-2);
  return parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
}

function unescaped(literal: string): string {
  const long = /^('''|""")/.test(literal) ? 3 : 1;
  const simple: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', a: '\x07' };
  return literal
    .slice(long, -long)
    .replaceAll(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([\s\S]))/g, (_, hex, unicode, single: string) =>
      single === undefined
        ? String.fromCharCode(Number.parseInt(hex ?? unicode, 16))
        : (simple[single] ?? single),
    );
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text.toLowerCase() === word;
}

function isMember(tokens: readonly Token[], index: number): boolean {
  return tokens[index - 1]?.text === '.';
}

function next(tokens: readonly Token[], from: number): number {
  return step(tokens, from, 1);
}

function previous(tokens: readonly Token[], from: number): number {
  return step(tokens, from, -1);
}

function step(tokens: readonly Token[], from: number, by: 1 | -1): number {
  let index = from + by;
  while (tokens[index] && /space|comment/.test(tokens[index]?.kind ?? '')) index += by;
  return index;
}

/** The parenthesis that closes the one after a function's name. */
function closing(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let index = from + 1; index < tokens.length; index++) {
    const { text, kind } = tokens[index] as Token;
    if (kind !== 'other') continue;
    if (text === '(') depth += 1;
    if (text === ')') depth -= 1;
    if (text === ')' && depth === 0) return index;
  }
  return tokens.length;
}

function sourceOf(starts: readonly { out: number; at: number }[], byte: number, end: number): number {
  const found = starts.findLast(({ out }) => out <= byte);
  const last = starts.at(-1);
  return found === undefined || (found === last && byte > found.out) ? end : found.at;
}

function placeIn(sql: string, at: number): { line: number; column: number } {
  const lines = sql.slice(0, at).split('\n');
  const before = [...(lines.at(-1) ?? '')];
  // A tab reaches to the next multiple of eight.
  const column = before.reduce(
    (from, character) => (character === '\t' ? from + 9 - (from % 8 || 8) : from + 1),
    1,
  );
  return { line: lines.length, column };
}
