import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileTemplate, joinScopes, rowScope, templateValue } from '../../src/templates/index.ts';

const place = { file: 'destinations/task.yaml', line: 1, column: 1 };

test('every type has its value', () => {
  assert.equal(templateValue({ type: 'boolean' }, 'true'), true);
  assert.equal(templateValue({ type: 'boolean' }, 'false'), false);
  assert.equal(templateValue({ type: 'integer' }, '42'), 42);
  assert.equal(templateValue({ type: 'float' }, '0.1'), 0.1);
  assert.equal(
    templateValue({ type: 'timestamp' }, '2026-01-31T09:30:00.123456Z'),
    '2026-01-31T09:30:00.123456Z',
  );
  assert.equal(templateValue({ type: 'other' }, 'x'), 'x');
  assert.equal(templateValue({ type: 'json' }, 'no json'), 'no json');
  assert.deepEqual(templateValue({ type: 'json' }, '{"a":[1,null]}'), { a: [1, null] });
  for (const type of ['text', 'integer', 'boolean', 'json'] as const)
    assert.equal(templateValue({ type }, null), null);
});

test('numbers print exactly as the warehouse wrote them', () => {
  const number = fc.oneof(
    fc.bigInt().map(String),
    fc
      .tuple(fc.bigInt({ min: 0n, max: 10n ** 25n }), fc.stringMatching(/^\d{1,12}$/))
      .map(([whole, part]) => `${whole}.${part}`),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  );
  fc.assert(
    fc.property(number, (text) => {
      const scope = joinScopes({ value: templateValue({ type: 'decimal' }, text) });
      assert.equal(compileTemplate('{{ value }}', place).render(scope), text);
    }),
  );
});

test('columns and JSON members may have any name and reach no prototype', () => {
  const columns = ['__proto__', 'constructor', 'toString'].map((name) => ({
    name,
    type: 'text' as const,
    nativeType: '',
  }));
  const scope = joinScopes(rowScope(columns, ['a', 'b', 'c']));
  assert.equal(compileTemplate('{{ __proto__ }}{{ constructor }}{{ toString }}', place).render(scope), 'abc');
  assert.equal(Object.getPrototypeOf(scope), null);
  const json = templateValue({ type: 'json' }, '{"__proto__":{"polluted":true},"a":1}') as object;
  assert.deepEqual(Object.keys(json), ['a']);
  assert.equal(Object.getPrototypeOf(json), Object.prototype);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test('where scopes meet, the later one wins', () => {
  assert.deepEqual({ ...joinScopes({ a: 1, b: 1 }, { b: 2 }) }, { a: 1, b: 2 });
});
