import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ReadbackError } from '../../src/errors.ts';
import { compileCondition, joinScopes, templateValue } from '../../src/templates/index.ts';

const place = { file: 'destinations/task.yaml', line: 6, column: 8 };
const scope = joinScopes({
  plan: 'pro',
  mrr: 150,
  price: templateValue({ type: 'decimal' }, '12.50'),
  id: templateValue({ type: 'integer' }, '12345678901234567890'),
  vip: true,
  churned: false,
  nothing: null,
  code: '42',
  tags: ['a', 'b'],
  day: '2026-01-31',
});

const holds: [text: string, result: boolean][] = [
  ["plan != 'free' and mrr > 100", true],
  ["plan == 'free' or vip", true],
  ["(plan == 'free' or vip) and mrr < 100", false],
  ['not churned', true],
  ['nothing == nil', true],
  ['nothing != nil', false],
  ['nothing', false],
  ['nothing < 100', false],
  ['nothing >= 0', false],
  ['100 > nothing', false],
  ["nothing < 'a'", false],
  ['price == 12.5', true],
  ['price > 12.49', true],
  ['12.51 > price', true],
  ['price <= 12.5', true],
  ['id > 1000', true],
  ["plan contains 'r'", true],
  ["tags contains 'b'", true],
  ["day >= '2026-01-01'", true],
  ['code > 41', true],
  ['tags.size == 2', true],
];

for (const [text, result] of holds)
  test(`${text} is ${result}`, () => assert.equal(compileCondition(text, place).test(scope), result));

const refused: [text: string, column: number, message: string, hint?: string][] = [
  ["plan = 'free'", 13, '`=` is SQL', 'write =='],
  ["plan <> 'free'", 13, '`<>` is SQL', 'write !='],
  ['plan is null', 13, '`is null` is SQL', 'write == nil'],
  ['plan IS NOT NULL', 13, '`is not null` is SQL', 'write != nil'],
  ["plan in ('a', 'b')", 13, '`in (…)` is SQL'],
  ["plan like 'a%'", 13, 'this is SQL'],
  ['vip AND churned', 12, 'operators and literals are lower case'],
  ['vip && churned', 12, '`&&` is not an operator', 'write and'],
  ['!vip', 8, '`!` is not an operator', 'write not'],
  ['{{ vip }}', 8, 'a condition is written without braces'],
  ['vip }} {{ churned', 12, 'a condition is written without braces'],
  ['  ', 8, 'the condition is empty'],
  ['vip churned', 8, 'two values stand side by side'],
  ['vip and', 12, '`and` lacks a side'],
  ['vip and churned or vip', 8, '`and` and `or` are mixed'],
  ['vip) or churned', 11, 'unexpected `) or churned`'],
  ['id == 12345678901234567891', 14, 'the number has too many digits to be compared'],
  ['plann', 8, 'variable `plann` is not provided', 'did you mean `plan`?'],
  ['vip or plann', 15, 'variable `plann` is not provided'],
  ['plan > 5', 8, 'cannot order text and a number'],
  ['vip > 1', 8, 'cannot order a boolean and a number'],
  ['code == 42', 8, 'text and a number are never equal; quote both or neither'],
];

for (const [text, column, message, hint] of refused)
  test(`refuses ${text}`, () => {
    assert.throws(
      () => compileCondition(text, place).test(scope),
      (error: ReadbackError) => {
        assert.equal(error.code, 'TEMPLATE');
        assert.equal(error.message, message);
        assert.deepEqual(error.place, { ...place, column });
        if (hint) assert.equal(error.hint, hint);
        return true;
      },
    );
  });

test('text in quotes may look like SQL or a template', () => {
  assert.equal(compileCondition("plan != '= is null && {{ x }}'", place).test(scope), true);
});

test('names its variables', () => {
  assert.deepEqual(compileCondition("plan != 'free' and (mrr > 100 or vip)", place).variables, [
    'plan',
    'mrr',
    'vip',
  ]);
});

test('decimals compare as in mathematics, whatever their length', () => {
  const decimal = fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(12));
  const text = ([units, scale]: [bigint, number]): string => {
    const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
    const whole = digits.slice(0, digits.length - scale);
    return `${units < 0n ? '-' : ''}${whole}${scale > 0 ? `.${digits.slice(-scale)}` : ''}`;
  };
  const conditions = ['a < b', 'a <= b', 'a == b', 'a >= b', 'a > b'].map((one) =>
    compileCondition(one, place),
  );
  fc.assert(
    fc.property(decimal, decimal, (left, right) => {
      const values = {
        a: templateValue({ type: 'decimal' }, text(left)),
        b: templateValue({ type: 'decimal' }, text(right)),
      };
      const [a, b] = [left[0] * 10n ** BigInt(right[1]), right[0] * 10n ** BigInt(left[1])];
      assert.deepEqual(
        conditions.map((condition) => condition.test(joinScopes(values))),
        [a < b, a <= b, a === b, a >= b, a > b],
      );
    }),
  );
});
