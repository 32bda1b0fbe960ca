import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mask } from '../../src/unit/mask.ts';
import type { ColumnType } from '../../src/warehouses/warehouse.ts';

const masking = { kept: new Set(['free']), keys: new Set(['1042', 'C-1']) };
const masked = (value: string | null, type: ColumnType, nativeType = type as string) =>
  mask(value, { type, nativeType }, masking);

test('text keeps its shape and nothing else; an address leads nowhere', () => {
  assert.match(masked('Ada Moreno-2', 'text') ?? '', /^[A-Z][a-z]{2} [A-Z][a-z]{5}-\d$/);
  assert.match(masked('ada.moreno@shop.example', 'text') ?? '', /^[a-z]{3}\.[a-z]{6}@example\.com$/);
  assert.match(masked('Élan ÅÄÖ', 'text') ?? '', /^[A-Z][a-z]{3} [A-Z]{3}$/);
  assert.equal(masked('--', 'text'), '--');
});

test('what the project’s own files say, null and truth stay', () => {
  assert.equal(masked('free', 'text'), 'free');
  assert.equal(masked(null, 'text'), null);
  assert.equal(masked('true', 'boolean'), 'true');
});

test('numbers keep sign, size and two digits; a key keeps none', () => {
  assert.match(masked('-123456.789', 'decimal') ?? '', /^-12\d{4}\.\d{3}$/);
  assert.match(masked('0.0091234', 'float') ?? '', /^0\.0091\d{3}$/);
  assert.match(masked('1.2345e-7', 'float') ?? '', /^1\.2\d{3}e-7$/);
  assert.equal(masked('42', 'integer'), '42');
  assert.equal(masked('NaN', 'float'), 'NaN');
  assert.match(masked('1042', 'integer') ?? '', /^[1-9]\d{3}$/);
  assert.notEqual(masked('1042', 'integer'), '1042');
});

test('times keep their hour, dates their month', () => {
  const time = masked('2026-01-31T09:30:00.123456Z', 'timestamp') ?? '';
  assert.match(time, /^2026-01-31T09:[0-5]\d:[0-5]\d\.\d{6}Z$/);
  assert.match(masked('1990-05-31', 'date') ?? '', /^1990-05-(0[1-9]|1\d|2[0-8])$/);
});

test('JSON keeps its keys; a UUID is one; other types are left out', () => {
  const json = JSON.parse(
    masked('{"name": "Ada", "plan": "free", "tags": ["abc"], "n": 1234, "x": null}', 'json') ?? '',
  );
  assert.deepEqual(Object.keys(json), ['name', 'plan', 'tags', 'n', 'x']);
  assert.equal(json.plan, 'free');
  assert.notEqual(json.name, 'Ada');
  assert.notEqual(json.tags[0], 'abc');
  assert.match(
    masked('123e4567-e89b-12d3-a456-426614174000', 'other', 'uuid') ?? '',
    /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/,
  );
  assert.equal(masked('{a,b}', 'other', 'text[]'), null);
});

test('any text is masked the same every time, in as many characters, and never as itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (value) => {
      const first = masked(value, 'text');
      assert.equal(masked(value, 'text'), first);
      if (value === 'free' || value.includes('@')) return;
      assert.equal([...(first ?? '')].length, [...value].length);
      if (/[\p{L}\p{Nd}]/u.test(value)) assert.notEqual(first, value);
    }),
  );
});
