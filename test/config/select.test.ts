import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { fingerprints } from '../../src/config/fingerprint.ts';
import type { Project } from '../../src/config/model.ts';
import { parseSelection, type SelectOptions, select } from '../../src/config/select.ts';
import { ReadbackError } from '../../src/errors.ts';
import { load, soundFiles } from './written-project.ts';

const signal = (extra: string) => `/*\nkey: id\n${extra}\n*/\nselect 1 as id`;
const task = (signals: string, extra = '') =>
  `connection: crm\naction: create_task\nsignals: [${signals}]\nfields: { subject: x }\n${extra}`;
const files = {
  'signals/stock.sql': signal('tags: [daily, stock]\nowner: shop@acme.example\nseverity: high'),
  'signals/won.sql': signal('tags: daily\nowner: sales@acme.example'),
  'destinations/order.yaml': task('stock', 'owner: shop@acme.example\n'),
  'destinations/remind.yaml': task('stock', 'follows: order\n'),
  'destinations/thanks.yaml': task('won', 'tags: daily\n').replace('crm', 'crm'),
};
let project: Project;
before(async () => {
  project = await load({ files });
  assert.deepEqual(project.problems, []);
});

function names(text: string, options: SelectOptions = {}): string {
  const { signals, destinations } = select(project, parseSelection(text), options);
  return `${[...signals].sort().join(' ')} | ${[...destinations].sort().join(' ')}`;
}

const examples: [text: string, expected: string][] = [
  ['stock', 'stock | '],
  ['stock won', 'stock won | '],
  ['s*', 'stock | '],
  ['*o*', 'stock won | order retention_task'],
  ['tag:daily', 'stock won | thanks'],
  ['tag:daily,severity:high', 'stock | '],
  ['tag:daily,severity:high order', 'stock | order'],
  ['owner:shop@*', 'stock | order'],
  ['signal:*', 'churn_risk stock won | '],
  ['destination:re*', ' | remind retention_task'],
  ['connection:crm', ' | order remind retention_task thanks'],
  ['severity:medium', 'churn_risk won | '],
  ['stock+', 'stock | order remind'],
  ['+remind', 'stock | order remind'],
  ['+order', 'stock | order'],
  ['order+', ' | order remind'],
  ['+order+', 'stock | order remind'],
];

for (const [text, expected] of examples) test(`selects ${text}`, () => assert.equal(names(text), expected));

test('without a selection, all; --exclude takes away', () => {
  assert.equal(select(project).signals.size, 3);
  const { signals, destinations } = select(project, undefined, { exclude: parseSelection('stock+') });
  assert.deepEqual([...signals, ...destinations], ['churn_risk', 'won', 'retention_task', 'thanks']);
});

test('state:modified is what differs from the earlier run, new ones included', () => {
  const previous = fingerprints(project);
  assert.equal(names('state:modified', { previous }), ' | ');
  previous.signals.stock = 'other';
  delete previous.destinations.thanks;
  assert.equal(names('state:modified', { previous }), 'stock | thanks');
  assert.equal(names('state:new', { previous }), ' | thanks');
  assert.equal(names('state:modified+', { previous }), 'stock | order remind thanks');
});

test('formatting a file does not modify it; its content does', async () => {
  const spaced = await load({ files: { ...files, 'signals/won.sql': `\n\n${files['signals/won.sql']}\n` } });
  assert.deepEqual(fingerprints(spaced), fingerprints(project));
  const written = soundFiles['destinations/retention_task.yaml'] ?? '';
  const swapped = written.replace(/( {2}subject.*\n)( {2}contact_email.*\n)/, '$2$1');
  assert.notEqual(swapped, written);
  const reordered = await load({
    files: { ...files, 'destinations/retention_task.yaml': `# remark\n${swapped}` },
  });
  assert.deepEqual(fingerprints(reordered), fingerprints(project));
  const enriched = await load({
    files: { ...files, 'sql/enrich/customer_profile.sql': '/* fresh: 5m */ select 2' },
  });
  assert.notEqual(
    fingerprints(enriched).destinations.retention_task,
    fingerprints(project).destinations.retention_task,
  );
});

const mistakes: [text: string, column: number, message: string, hint?: string][] = [
  ['  ', 1, 'the selection is empty'],
  ['stock tga:daily', 7, 'there is no method `tga`', 'did you mean `tag`?'],
  ['stock,tag:', 11, '`tag:` needs a value'],
  ['stock,,won', 7, 'something is missing here'],
  ['won stcok', 5, '`stcok` matches nothing', 'did you mean `stock`?'],
  ['tag:dayly', 1, '`tag:dayly` matches nothing', 'did you mean `daily`?'],
  ['state:changed', 7, '`state:` is modified or new'],
  ['state:modified', 1, '`state:` needs target/manifest.json of an earlier run'],
  ['stock,won', 1, 'the selection matches nothing'],
];

for (const [text, column, message, hint] of mistakes)
  test(`refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => names(text),
      (error: ReadbackError) => {
        assert.equal(error.code, 'SELECTION');
        assert.equal(error.message, message);
        assert.deepEqual(error.place, { file: '--select', line: 1, column });
        if (hint) assert.equal(error.hint, hint);
        return true;
      },
    );
  });

test('a mistyped --exclude is an error, not a silent nothing', () => {
  assert.throws(() => select(project, undefined, { exclude: parseSelection('stcok') }), ReadbackError);
});

const criterion = fc
  .tuple(
    fc.constantFrom('', '+'),
    fc.constantFrom(
      'stock',
      'won',
      'order',
      'tag:daily',
      'owner:*',
      'signal:*',
      'severity:high',
      'connection:crm',
      '*o*',
    ),
    fc.constantFrom('', '+'),
  )
  .map((parts) => parts.join(''));

test('union and intersection are those of sets', () => {
  const resolve = (text: string): Set<string> => {
    try {
      const { signals, destinations } = select(project, parseSelection(text));
      return new Set([...signals, ...destinations]);
    } catch {
      return new Set();
    }
  };
  fc.assert(
    fc.property(criterion, criterion, (a, b) => {
      const [left, right] = [resolve(a), resolve(b)];
      assert.deepEqual(resolve(`${a} ${b}`), resolve(`${b} ${a}`));
      assert.deepEqual(resolve(`${a} ${b}`).size, new Set([...left, ...right]).size);
      assert.deepEqual([...resolve(`${a},${b}`)].sort(), [...left].filter((name) => right.has(name)).sort());
    }),
  );
});

test('any text is a selection or a SELECTION error with a column, at once', () => {
  const piece = fc.oneof(
    criterion,
    fc.constantFrom(' ', ',', '+', ':', '*', '*a*a*a*a*a*a*a*a*b'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      try {
        select(project, parseSelection(pieces.join('')));
      } catch (error) {
        assert.ok(error instanceof ReadbackError && error.code === 'SELECTION');
        assert.ok((error.place?.column ?? 0) >= 1);
      }
    }),
  );
});
