import { faultAt, faultWithin } from './harm.ts';
import { allKeys, keysOf, linesOf, spliced, withValue, yamlRange } from './keys.ts';
import type { Kinds, Mutator } from './mutation.ts';
import { soundFiles } from './project.ts';

const sqlFiles = Object.keys(soundFiles).filter((file) => file.endsWith('.sql'));
/** What only the warehouse sees, keeps the signal in the project: it says so again at each poll. */
const told = { needsWarehouse: true, harms: { kind: 'nothing' } } as const;

/** Indexes of the lines of the statement. */
function statement(file: string): { first: number; last: number } {
  return { first: yamlRange(file).last + 2, last: linesOf(file).length - 2 };
}

const unclosedHeader: Mutator = (chance) => {
  const file = chance.pick(sqlFiles);
  const close = yamlRange(file).last + 1;
  return {
    files: spliced(file, close, 1, ...chance.pick([[], ['* /'], ['--'], ['*']])),
    fault: faultWithin(file, 0, 0),
  };
};

const noHeader: Mutator = (chance) => {
  const file = chance.pick(sqlFiles);
  const lines = linesOf(file).slice(yamlRange(file).last + 2);
  const before = chance.pick([
    [],
    ['-- key: id'],
    ['--'],
    ['# key: id'],
    ['---', 'key: id', '---'],
    ['// x'],
    ['<!-- -->'],
  ]);
  return { files: { [file]: [...before, ...lines].join('\n') }, fault: faultAt(file, 0) };
};

const noStatement: Mutator = (chance) => {
  const file = chance.pick(sqlFiles);
  const header = linesOf(file).slice(0, yamlRange(file).last + 2);
  const rest = chance.pick([[], [''], [';'], ['', '  ', ';', '']]);
  return {
    files: { [file]: [...header, ...rest].join('\n') },
    fault: faultWithin(file, header.length - 1, header.length + rest.length),
  };
};

const brokenStatement: Mutator = (chance) => {
  const file = chance.pick(sqlFiles);
  const { first, last } = statement(file);
  const broken = chance.pick([
    'selec customer_id from customers',
    'select from where',
    'select * from',
    'select (((1',
    "select 'unclosed",
    'select * from no_such_table',
    'select no_such_column from customers',
    'drop table customers',
    'insert into customers values (1)',
    'create table x (a int)',
    'select 1; select 2',
    "copy customers to '/tmp/never'",
    "attach '/tmp/never.db'",
    'pragma database_list',
    "select * from read_csv('/etc/passwd')",
    'update customers set name = 1',
    'delete from customers',
    'select nosuchfunction(1)',
    'vacuum',
    "load 'httpfs'",
    "install 'httpfs'",
    'begin',
    'commit',
    "set memory_limit = '100GB'",
    'explain select 1',
    'call pragma_version()',
    '(((((',
    'with recursive',
    ')',
  ]);
  return { files: spliced(file, first, last - first + 1, broken), fault: faultAt(file, first, told) };
};

const brokenLine: Mutator = (chance) => {
  // Only statements in which every line stands alone, so that the line of the fault is known.
  const file = 'signals/churn_risk.sql';
  const { first } = statement(file);
  const [offset, line] = chance.pick([
    [1, '  customer_idd,'],
    [2, '  churn_probabilty,'],
    [3, '  scored_att'],
    [2, '  churn_probability + nothing,'],
    [2, '  nosuch(churn_probability) as churn_probability,'],
    [4, 'from churn_scoress'],
  ] as const);
  return { files: spliced(file, first + offset, 1, line), fault: faultAt(file, first + offset, told) };
};

const missingColumn: Mutator = (chance) => {
  // Not the key of a signal with an enrichment: that would be a second fault, of the enrichment's key.
  const key = chance.pick(
    allKeys.filter(
      ({ file, path }) =>
        file.startsWith('signals/') &&
        (['track', 'observed_at'].includes(path) || (path === 'key' && /deal_won|ticket_age/.test(file))),
    ),
  );
  return {
    files: withValue(
      key,
      chance.pick([`x${chance.word()}`, 'CUSTOMER_ID_', 'no_such_column', '"a b"', "'; drop table x; --'"]),
    ),
    fault: faultAt(key.file, key.index, told),
  };
};

const badFilter: Mutator = (chance) => {
  const key = chance.pick(
    allKeys.filter(({ file, path }) => file.startsWith('signals/') && ['when', 'rearm'].includes(path)),
  );
  const text = chance.pick([
    'no_such_column > 1',
    'and',
    '1 +',
    '(((',
    ')',
    "'unclosed",
    '1; drop table customers',
    'select',
    'nosuch(1)',
    '"x" y z',
    '1 = 1) --',
    'true) or (false; select 1',
  ]);
  return { files: withValue(key, JSON.stringify(text)), fault: faultAt(key.file, key.index, told) };
};

const deepSql: Mutator = (chance) => {
  const file = chance.pick(sqlFiles);
  const { first, last } = statement(file);
  const depth = chance.pick([500, 5_000, 50_000]);
  const text = chance.pick([
    `select ${'('.repeat(depth)}1`,
    `select ${'not '.repeat(depth)}`,
    `select ${'-'.repeat(3)}1 from ${'(select * from '.repeat(Math.min(depth, 5_000))}`,
    `select case ${'when 1 then case '.repeat(Math.min(depth, 5_000))}`,
  ]);
  return { files: spliced(file, first, last - first + 1, text), fault: faultAt(file, first, told) };
};

const starInHeader: Mutator = (chance) => {
  const key = chance.pick(
    allKeys.filter(({ file, path }) => file === 'signals/low_stock.sql' && path === 'description'),
  );
  // Ends the header in the middle of a value, which then lacks its quote, and the rest of the header becomes SQL.
  return {
    files: withValue(key, `"a ${chance.pick(['*/ b', '*/', '*/x'])}"`),
    fault: faultWithin(key.file, key.index, keysOf(key.file).at(-1)?.index ?? key.index),
  };
};

export const sqlKinds: Kinds = {
  'unclosed header': unclosedHeader,
  'no header': noHeader,
  'no statement': noStatement,
  'broken statement': brokenStatement,
  'broken line of a statement': brokenLine,
  'column nobody returns': missingColumn,
  'condition that is no SQL': badFilter,
  'deep SQL': deepSql,
  'header ended too early': starInHeader,
};
