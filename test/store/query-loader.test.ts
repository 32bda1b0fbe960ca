import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { numberPlaceholders } from '../../src/store/placeholders.ts';
import { parseQueries, type Queryable } from '../../src/store/queries.ts';

const file = `-- About the file.

-- name: claim_due
-- Takes what is due.
-- Never twice.
select * from actions where destination = :destination limit :limit;

-- name: everything
select 1
`;

/** Records what would be sent. */
function recorder() {
  const sent: { name?: string; text: string; values?: unknown[] }[] = [];
  const client: Queryable = {
    async query(statement) {
      sent.push(statement);
      return { rows: [{ id: 1 }, { id: 2 }] };
    },
  };
  return { client, sent };
}

test('a file is a set of named queries with their comments as description', () => {
  const queries = parseQueries('ledger.sql', file);
  assert.deepEqual([...queries.all.keys()], ['claim_due', 'everything']);
  const query = queries.get('claim_due');
  assert.equal(query.description, 'Takes what is due.\nNever twice.');
  assert.equal(query.text, 'select * from actions where destination = $1 limit $2');
  assert.deepEqual(query.params, ['destination', 'limit']);
});

test('parameters are sent in the order of their numbers, as a prepared statement', async () => {
  const { client, sent } = recorder();
  const rows = await parseQueries('ledger.sql', file).run(client, 'claim_due', {
    limit: 3,
    destination: 'crm',
  });
  assert.deepEqual(rows, [{ id: 1 }, { id: 2 }]);
  assert.deepEqual(sent[0]?.values, ['crm', 3]);
  assert.match(sent[0]?.name ?? '', /^claim_due_[0-9a-f]{12}$/);
});

test('one row can be asked for', async () => {
  assert.deepEqual(await parseQueries('ledger.sql', file).one(recorder().client, 'everything'), { id: 1 });
});

for (const [params, problem] of [
  [{ destination: 'crm' }, /ledger.sql, query "claim_due": parameter "limit" is missing/],
  [{ destination: 'crm', limit: undefined }, /parameter "limit" is missing/],
  [{ destination: 'crm', limit: 1, lane: 2 }, /parameter "lane" is not one of: destination, limit/],
] as const) {
  test(`parameters ${JSON.stringify(params)} are refused before anything is sent`, async () => {
    const { client, sent } = recorder();
    await assert.rejects(parseQueries('ledger.sql', file).run(client, 'claim_due', params), problem);
    assert.equal(sent.length, 0);
  });
}

test('null is a value', async () => {
  const { client, sent } = recorder();
  await parseQueries('ledger.sql', file).run(client, 'claim_due', { destination: null, limit: 1 });
  assert.deepEqual(sent[0]?.values, [null, 1]);
});

test('an unknown query is refused with what there is', async () => {
  const { client } = recorder();
  await assert.rejects(
    parseQueries('ledger.sql', file).run(client, 'claim', {}),
    /ledger.sql has no query "claim"; it has: claim_due, everything/,
  );
});

for (const [source, problem] of [
  ['select 1', /SQL before the first/],
  ['-- name: a\nselect 1;\n-- name: a\nselect 2;', /two queries are named "a"/],
  ['-- name: not a name\nselect 1', /"not a name" is not a query name/],
  ['-- name: a\n-- only words\n', /query "a" is empty/],
] as const) {
  test(`a file is refused: ${JSON.stringify(source)}`, () => {
    assert.throws(() => parseQueries('broken.sql', source), problem);
  });
}

for (const [sql, expected] of [
  ['select :a, :b, :a', 'select $1, $2, $1'],
  ['select :a::text, b::text', 'select $1::text, b::text'],
  ["select ':a', 'it''s :b', :c", "select ':a', 'it''s :b', $1"],
  ["select E'\\':a', :b", "select E'\\':a', $1"],
  ['select ":a""" , :b', 'select ":a""" , $1'],
  ['select 1 -- not :a\n, :b', 'select 1 -- not :a\n, $1'],
  ['/* :a /* :b */ :c */ :d', '/* :a /* :b */ :c */ $1'],
  ['select $$ :a $$, $x$ :b $$ $x$, :c', 'select $$ :a $$, $x$ :b $$ $x$, $1'],
  ['select list[1:n], list[:a]', 'select list[1:n], list[$1]'],
  ['call f(x := 1, y => :a)', 'call f(x := 1, y => $1)'],
  ["select '/*', :a, '*/'", "select '/*', $1, '*/'"],
] as const) {
  test(`placeholders of ${JSON.stringify(sql)}`, () => assert.equal(numberPlaceholders(sql).text, expected));
}

test('whatever is quoted comes through untouched and whatever is not is numbered', () => {
  const quoted = fc.oneof(
    fc.string().map((text) => `'${text.replaceAll("'", "''")}'`),
    fc.string({ minLength: 1 }).map((text) => `"${text.replaceAll('"', '""')}"`),
    fc.string().map((text) => `$q$${text.replaceAll('$', '')}$q$`),
    fc.string().map((text) => `--${text.replaceAll('\n', '')}\n`),
    fc.string().map((text) => `/*${text.replaceAll(/[/*]/g, '')}*/`),
  );
  const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
  const part = fc.oneof(
    quoted.map((text) => ({ text })),
    name.map((name) => ({ name })),
  );
  fc.assert(
    fc.property(fc.array<{ text?: string; name?: string }>(part), (parts) => {
      const sql = parts.map((part) => part.text ?? `:${part.name}`).join(' ');
      const names = [...new Set(parts.flatMap((part) => part.name ?? []))];
      const numbered = parts.map((part) => part.text ?? `$${names.indexOf(part.name ?? '') + 1}`).join(' ');
      assert.deepEqual(numberPlaceholders(sql), { text: numbered, names });
    }),
  );
});
