import { withoutSemicolon } from './statement.ts';
import { loadTemplates, render } from './template.ts';
import type { Fixture, Value } from './warehouse.ts';

const templates = loadTemplates(import.meta.url, ['given']);

/** What of a dialect fixtures depend on. */
export interface Writing {
  quote(name: string): string;
  literal(text: string): string;
}

export function everything(relation: string): string {
  return render(templates, 'everything', { relation });
}

/** The query with the fixtures before it, as common table expressions. */
export function givenSql(writing: Writing, sql: string, fixtures: readonly Fixture[]): string {
  return render(templates, 'given', {
    fixtures: fixtures.map((fixture) => fixtureSql(writing, fixture)).join(',\n'),
    sql: withoutSemicolon(sql),
  });
}

function fixtureSql(writing: Writing, { name, columns, rows }: Fixture): string {
  const values = (row: readonly Value[]): string =>
    columns
      .map(({ name, nativeType }, at) => {
        const value = row[at] ?? null;
        const literal = value === null ? 'null' : writing.literal(value);
        return render(templates, 'value', { literal, type: nativeType, column: writing.quote(name) });
      })
      .join(', ');
  const selects = rows.map((row) => render(templates, 'row', { values: values(row) }));
  const nothing = render(templates, 'no_row', { values: values([]) });
  const union = `\n${render(templates, 'union', {})}\n`;
  return render(templates, 'fixture', { name, rows: selects.join(union) || nothing });
}

/** Text as standard SQL writes it: a backslash is a character like any other. */
export function standardLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
