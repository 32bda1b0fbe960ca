import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ReadbackError } from '../../src/errors.ts';
import { compileTemplate, joinScopes, rowScope } from '../../src/templates/index.ts';
import type { ColumnType } from '../../src/warehouses/warehouse.ts';

const place = { file: 'destinations/task.yaml', line: 10, column: 5 };
const row: [name: string, type: ColumnType, value: string | null][] = [
  ['name', 'text', 'Ann & <Bo>'],
  ['risk', 'float', '0.873'],
  ['price', 'decimal', '1234.50'],
  ['id', 'integer', '12345678901234567890'],
  ['count', 'integer', '3'],
  ['vip', 'boolean', 'true'],
  ['nothing', 'text', null],
  ['blank_text', 'text', ''],
  ['scored_at', 'timestamp', '2026-01-31T09:30:00.123456Z'],
  ['day', 'date', '2026-01-31'],
  ['profile', 'json', '{"city":"Rome","tags":["a","b"],"none":null}'],
  ['nan', 'float', 'NaN'],
];
const scope = joinScopes(
  rowScope(
    row.map(([name, type]) => ({ name, type, nativeType: type })),
    row.map(([, , value]) => value),
  ),
  { now: '2026-02-01T12:00:00.000Z' },
);
const render = (text: string, filter?: string) =>
  compileTemplate(text, place, { escape: filter }).render(scope);

const renders: [text: string, result: string][] = [
  ['Call {{ name }}', 'Call Ann & <Bo>'],
  ['{{ risk | percent }} {{ risk | percent: 1 }}', '87% 87.3%'],
  ['{{ price }} {{ price | money }}', '1234.50 $1,234.50'],
  ["{{ price | money: 'EUR' }}", '€1,234.50'],
  ["{{ '12345678901234567890.12' | money }}", '$12,345,678,901,234,567,890.12'],
  ['{{ id }}', '12345678901234567890'],
  ['{{ count | plus: 1 }} {{ price | times: 2 }}', '4 2469'],
  ["{{ now | plus: '2d' }}", '2026-02-03T12:00:00.000Z'],
  ["{{ day | plus: '2d' }} {{ day | minus: '1w' }}", '2026-02-02 2026-01-24'],
  ["{{ day | plus: '90m' }}", '2026-01-31T01:30:00Z'],
  ["{{ scored_at | minus: '10h' }}", '2026-01-30T23:30:00.123456Z'],
  ["{{ '2026-01-31 09:30:00+02:00' | plus: '1h' }}", '2026-01-31T10:30:00+02:00'],
  ['{{ scored_at | date }} {{ scored_at | date: "%d %b %Y %H:%M" }}', '2026-01-31 31 Jan 2026 09:30'],
  ['{{ scored_at | date: "%H:%M", "Europe/Berlin" }}', '10:30'],
  ['{{ "2026-07-01T00:00:00" | date: "%H:%M" }}', '00:00'],
  ['{{ nothing | default: "friend" }}', 'friend'],
  ['{{ nothing | upcase | default: "friend" }}', 'friend'],
  ['[{{ blank_text }}]', '[]'],
  ['{{ profile.city }} {{ profile.tags | join: ", " }} {{ profile.tags[1] }}', 'Rome a, b b'],
  ['{{ profile | json }}', '{"city":"Rome","tags":["a","b"],"none":null}'],
  [
    '{% if vip %}VIP{% else %}-{% endif %}{% for tag in profile.tags %}{{ forloop.index }}{{ tag }}{% endfor %}',
    'VIP1a2b',
  ],
  ['{% assign double = count | times: 2 %}{{ double }}', '6'],
  ['{% if nothing %}{{ nothing }}{% endif %}.', '.'],
  ['{% comment %} {{ name, ) }} {% endcomment %}', ''],
  ['plain text', 'plain text'],
];

for (const [text, result] of renders) test(`renders ${text}`, () => assert.equal(render(text), result));

const refused: [text: string, line: number, column: number, message: string | RegExp, hint?: RegExp][] = [
  ['Hi {{ nme }}', 10, 11, 'variable `nme` is not provided', /did you mean `name`/],
  ['{{ Name }}', 10, 8, 'variable `Name` is not provided', /`name`/],
  ['a\n  {{ nme }}', 11, 10, 'variable `nme` is not provided'],
  ['{% if false %}{{ nme }}{% endif %}', 10, 22, 'variable `nme` is not provided'],
  ['{{ nme | default: "x" }}', 10, 8, 'variable `nme` is not provided'],
  ['Dear {{ nothing }}', 10, 10, 'variable `nothing` is null for this row', /use `\| default:/],
  ['{{ nothing | upcase }}', 10, 5, 'variable `nothing` is null for this row'],
  [
    '{{ name | default: nothing | append: nothing }}{{ nothing | default: nothing }}',
    10,
    52,
    'variable `nothing` is null for this row',
  ],
  ['{% assign x = nothing %}{{ x }}', 10, 29, 'variable `x` is null for this row'],
  ['{{ profile.none }}', 10, 5, 'variable `profile.none` is null for this row'],
  ['{{ nothing | raw }}', 10, 5, 'variable `nothing` is null for this row'],
  ['{{ profile.street }}', 10, 8, 'undefined variable: profile.street'],
  ['{{ profile }}', 10, 5, 'variable `profile` is an object', /json/],
  ['{{ profile.tags }}', 10, 5, 'variable `profile.tags` is a list', /join/],
  ['{{ nan }}', 10, 5, 'variable `nan` is not a number'],
  ['{{ size }}', 10, 8, 'variable `size` is not provided'],
  ['{{ name | lowcase }}', 10, 5, 'undefined filter: lowcase'],
  ['{{ name | sample }}', 10, 5, 'undefined filter: sample'],
  ['{{ name', 10, 5, 'output "{{ name" not closed'],
  ['{{ name is at {{ risk }}', 10, 19, '{{ stands in an output that is not closed', /}} behind/],
  ['{{ name name }}', 10, 8, 'two values stand side by side'],
  ['{{ name, count }}', 10, 12, 'unexpected `, count`'],
  ['{% if a = b %}{% endif %}', 10, 13, 'unexpected text after the value', /==/],
  ['{% include "x" %}', 10, 5, 'tag "include" not found'],
  ['{% render "x" %}', 10, 5, 'tag "render" not found'],
  ['{% layout "x" %}', 10, 5, 'tag "layout" not found'],
  ['{% liquid echo name %}', 10, 5, 'tag "liquid" not found'],
  ['{{ name | plus: 1 }}', 10, 5, '`plus` needs a number'],
  ["{{ name | plus: '2d' }}", 10, 5, /needs a date and a duration/],
  ['{{ count | divided_by: 0 }}', 10, 5, '`divided_by` by zero'],
  ['{{ id | times: 2 }}', 10, 5, /too many digits for arithmetic/],
  ['{{ name | percent }}', 10, 5, '`percent` needs a number'],
  ['{{ price | money: "euro" }}', 10, 5, /currency code/],
  ['{{ "now" | date }}', 10, 5, /`date` needs a date/],
  ['{{ "2026-02-31" | date }}', 10, 5, /`date` needs a date/],
  ['{% for i in (1..100000000) %}x{% endfor %}', 10, 5, 'memory alloc limit exceeded'],
];

for (const [text, line, column, message, hint] of refused)
  test(`refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => render(text),
      (error: ReadbackError) => {
        assert.equal(error.code, 'TEMPLATE');
        if (typeof message === 'string') assert.equal(error.message, message);
        else assert.match(error.message, message);
        assert.deepEqual(error.place, { file: place.file, line, column });
        if (hint) assert.match(error.hint ?? '', hint);
        return true;
      },
    );
  });

test('names the variables it needs, those of its own left out', () => {
  const text =
    "{% assign x = count %}{{ x }} {{ now | plus: '2d' }} {% if vip %}{{ profile.city }}{% endif %} {{ name }}";
  assert.deepEqual(compileTemplate(text, place).variables.sort(), ['count', 'name', 'now', 'profile', 'vip']);
});

test('an escape applies to every output but raw ones, and to no text of the template', () => {
  assert.equal(render('<b> {{ name }}', 'slack_escape'), '<b> Ann &amp; &lt;Bo&gt;');
  assert.equal(render('{{ name | raw }}', 'slack_escape'), 'Ann & <Bo>');
  assert.equal(render('{{ nothing | default: "<" }}', 'slack_escape'), '&lt;');
  assert.throws(() => render('{{ profile }}', 'slack_escape'), /is an object/);
});

test('the same row renders the same text: a template has neither clock nor dice', () => {
  const text = "{{ now | plus: '2d' }} {{ now | date: '%s' }}";
  assert.equal(render(text), render(text));
});

test('no error ever holds a value of the row', () => {
  for (const [text] of refused)
    assert.throws(
      () => render(text),
      (error: ReadbackError) => !/Ann|1234/.test(error.format()),
    );
});

/** Every way of spelling something that is not data. */
const escapeAttempts = fc.constantFrom(
  'constructor',
  '__proto__',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
  'constructor.constructor',
  '__proto__.polluted',
);
const holders = fc.constantFrom(
  '',
  'name.',
  'id.',
  'price.',
  'profile.',
  'profile.tags.',
  'count.',
  'now.',
  'vip.',
);

test('nothing but the data can be reached from a template', () => {
  fc.assert(
    fc.property(holders, escapeAttempts, fc.boolean(), (holder, attempt, bracket) => {
      const path = bracket && holder ? `${holder.slice(0, -1)}['${attempt}']` : `${holder}${attempt}`;
      assert.throws(() => render(`{{ ${path} }}`), ReadbackError, path);
      assert.throws(() => render(`{% if ${path} %}x{% endif %}`), ReadbackError, path);
    }),
  );
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

const value = fc.oneof(fc.string({ minLength: 1 }), fc.constant(null), fc.constant(undefined));

test('an output is never a hole: it prints its value or the template fails', () => {
  fc.assert(
    fc.property(
      value,
      fc.constantFrom('', ' | upcase', ' | strip', ' | append: "!"', ' | raw'),
      (given, filters) => {
        const own = given === undefined ? {} : { given };
        const template = compileTemplate(`<{{ given${filters} }}>`, place);
        if (typeof given !== 'string') assert.throws(() => template.render(joinScopes(own)), ReadbackError);
        else assert.equal(typeof template.render(joinScopes(own)), 'string');
      },
    ),
  );
});

test('a value is never read as a template', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (given) => {
      const text = `${given}{{ secret }}{% if 1 %}`;
      assert.equal(
        compileTemplate('{{ given }}', place).render(joinScopes({ given: text, secret: 's' })),
        text,
      );
    }),
  );
});

test('any text is a template or a TEMPLATE error with a place', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '{{',
      '}}',
      '{%',
      '%}',
      ' name ',
      ' | ',
      'if',
      'endif',
      ' for x in y ',
      "'",
      '"',
      '(',
      ')',
      '[',
      '.',
      '..',
      ':',
      ',',
      'raw',
      'endraw',
      'default: ',
    ),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        render(pieces.join(''));
      } catch (error) {
        assert.ok(error instanceof ReadbackError, String(error));
        assert.equal(error.code, 'TEMPLATE');
        assert.ok((error.place?.line ?? 0) >= place.line);
      }
    }),
    { numRuns: 500 },
  );
});
