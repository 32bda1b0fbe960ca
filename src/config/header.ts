import { ReadbackError } from '../errors.ts';
import { positionAt, type SourceFile } from './files.ts';

/** A `.sql` file, taken apart. */
export interface SqlFile {
  /** The header's YAML, with everything before it blanked out so that lines and columns stay those of the file. */
  yaml: string;
  /** The statement, without the semicolon at its end. */
  sql: string;
  sqlLine: number;
}

/** `*` + `/` in front of a digit is a cron step (`"*\/5 * * * *"`), not the end of the header. */
const headerEnd = /\*\/(?!\d)/g;

/** @throws ReadbackError CONFIG_KEY without a header, CONFIG_YAML when it is not closed, SIGNAL_SQL without a statement */
export function splitHeader(source: SourceFile, needs: string): SqlFile {
  const { file, text } = source;
  const opening = /^\s*\/\*/.exec(text)?.[0].length;
  if (opening === undefined)
    throw new ReadbackError('CONFIG_KEY', 'the file does not begin with a header', {
      place: { file, line: 1, column: 1 },
      hint: `begin it with a comment that holds at least ${needs}`,
    });
  headerEnd.lastIndex = opening;
  const closing = headerEnd.exec(text)?.index;
  if (closing === undefined)
    throw new ReadbackError('CONFIG_YAML', 'the header is not closed', {
      place: { file, ...positionAt(text, opening - 2) },
      hint: 'end it with */ on a line of its own',
    });
  const yaml = text.slice(0, opening).replace(/\S/g, ' ') + text.slice(opening, closing);
  return { yaml, ...statement(file, text, closing + 2) };
}

/** The statement, padded so that its columns are those of the file when it begins on the header's last line. */
function statement(file: string, text: string, start: number): Pick<SqlFile, 'sql' | 'sqlLine'> {
  const blank = /^\s*/.exec(text.slice(start))?.[0].length ?? 0;
  const position = positionAt(text, start + blank);
  const sql = text.slice(start + blank).replace(/[\s;]+$/, '');
  if (sql === '')
    throw new ReadbackError('SIGNAL_SQL', 'there is no statement after the header', {
      place: { file, ...position },
      hint: 'write the select that returns the rows',
    });
  return { sql: ' '.repeat(position.column - 1) + sql, sqlLine: position.line };
}
