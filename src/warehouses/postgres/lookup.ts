import type { Dialect } from '../compile.ts';
import { withoutSemicolon } from '../statement.ts';
import { render } from '../template.ts';
import type { Column, Statement } from '../warehouse.ts';

/** Rows by key where the server binds no arrays: every value is a parameter. The protocol counts 65,535 of them. */
export function lookupOneByOne(
  { templates, quote }: Dialect,
  sql: string,
  key: Column[],
  keys: string[][],
): Statement {
  const matches = keys.map((_, row) =>
    key
      .map(({ name, nativeType }, at) =>
        render(templates, 'same_value', {
          column: quote(name),
          number: String(row * key.length + at + 1),
          type: nativeType,
        }),
      )
      .join(' and '),
  );
  return {
    sql: render(templates, 'lookup', { sql: withoutSemicolon(sql), matches: matches.join('\n  or ') }),
    params: keys.flat(),
  };
}
