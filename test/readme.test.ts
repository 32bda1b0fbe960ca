import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { readback } from './cli/readback.ts';
import { emptyDatabase, freshDatabase } from './helpers/postgres.ts';
import { anchorsOf, blocksOf, checkout, filesOf, readGuide } from './readme/blocks.ts';
import { compareOutput } from './readme/output.ts';
import { emptyFolder, loadSound, writeFiles } from './readme/project.ts';
import { aRun, Shell } from './readme/shell.ts';

const guides = [
  'README.md',
  'docs/reference.md',
  'docs/dbt.md',
  'docs/record-sync.md',
  'docs/deployment.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
];
const blocks = guides.flatMap(blocksOf);
const readme = blocks.filter(({ guide }) => guide === 'README.md');

/** What a test does with a block; every one must say it, or it would rot unseen. */
const purposes = ['file', 'excerpt', 'run', 'output', 'checked', 'folders', 'not-run'];

test('every fenced block says what a test does with it', () => {
  assert.ok(blocks.length > 30, `only ${blocks.length} blocks were found`);
  for (const { guide, line, attributes } of blocks)
    assert.equal(purposes.filter((name) => attributes.has(name)).length, 1, `${guide}:${line}`);
  for (const guide of guides)
    assert.equal(
      readGuide(guide).match(/^```/gm)?.length ?? 0,
      2 * blocksOf(guide).length,
      `${guide} has a fence without a language, or one that is not closed`,
    );
});

test('npm scripts and test files that the guides name exist', () => {
  const { scripts, version } = JSON.parse(readGuide('package.json')) as {
    scripts: Record<string, string>;
    version: string;
  };
  const checked = blocks.filter(({ attributes }) => attributes.get('checked') === 'scripts');
  for (const { guide, line, text } of checked) {
    for (const [, script = ''] of text.matchAll(/npm (?:run )?(?!ci\b|pack\b|run\b)([\w-]+)/g))
      assert.ok(Object.hasOwn(scripts, script), `${guide}:${line}: npm run ${script}`);
    for (const [path = ''] of text.matchAll(/\b(?:test|scripts)\/[\w./-]+/g))
      assert.ok(existsSync(join(checkout, path)), `${guide}:${line}: ${path}`);
    for (const [name] of text.matchAll(/readback-[\d.]+\.tgz/g))
      assert.equal(name, `readback-${version}.tgz`);
  }
});

test('every link leads somewhere', () => {
  const lost = guides.flatMap((guide) =>
    [...readGuide(guide).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)].flatMap(
      ([link, file, anchor]) => {
        const target = file ? normalize(join(dirname(guide), file)) : guide;
        if (!existsSync(join(checkout, target))) return `${guide}: ${link}`;
        return anchor === undefined || anchorsOf(target).has(anchor) ? [] : `${guide}: ${link}`;
      },
    ),
  );
  assert.deepEqual(lost, []);
});

describe('the first project', () => {
  test('the files on the first screen are those that init writes', () => {
    const shown = filesOf(readme, 'init');
    assert.equal(shown.size, 2);
    const said = (text: string) =>
      text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
    for (const [file, text] of shown)
      assert.deepEqual(said(text), said(readFileSync(join(checkout, 'examples/init', file), 'utf8')), file);
  });

  test('every step works, and prints what the README shows', async () => {
    const shell = await Shell.open(await emptyFolder(), await emptyFolder(), {});
    try {
      for (const block of readme.filter(({ attributes }) => attributes.get('run') === 'init')) {
        await shell.run(block);
        const root = join(shell.folder, 'readback.yml');
        if (existsSync(root)) await writeFile(root, shell.ported(await readFile(root, 'utf8')));
      }
      const outputs = readme.filter(
        ({ attributes }) => attributes.has('output') && !attributes.has('project'),
      );
      assert.equal(outputs.length, 2);
      for (const block of outputs) {
        const [, ...words] = (block.attributes.get('output') ?? '').split(' ');
        compareOutput(block, (await readback(shell.folder, ...words)).stdout);
      }
    } finally {
      await shell.close();
    }
  });
});

describe('a project of one’s own', () => {
  test('its folders are those that the README lists', () => {
    const listing = readme.find(({ attributes }) => attributes.get('folders') === 'shop')?.text ?? '';
    const patterns = listing
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/)[0] ?? '');
    assert.ok(patterns.length >= 4);
    const files = [...filesOf(readme, 'shop').keys()].filter((file) => file !== 'warehouse.sql');
    const fits = (pattern: string, file: string) =>
      new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '\\w+')}$`).test(file);
    for (const pattern of patterns)
      assert.ok(
        files.some((file) => fits(pattern, file)),
        pattern,
      );
    for (const file of files)
      assert.ok(
        patterns.some((pattern) => fits(pattern, file)),
        file,
      );
  });

  test('it acts on what changed in Postgres, and every action has its end', async () => {
    const files = filesOf(readme, 'shop');
    const warehouse = await emptyDatabase();
    const ledger = await freshDatabase();
    const shell = await Shell.open(await emptyFolder(), await writeFiles(files), {
      WAREHOUSE_URL: warehouse.url,
      READBACK_DATABASE_URL: ledger.url,
    });
    try {
      await warehouse.pool.query(files.get('warehouse.sql') ?? '');
      for (const block of readme) {
        if (block.attributes.get('run') === 'shop') await shell.run(block);
        if (block.attributes.get('run') === 'warehouse') await warehouse.pool.query(block.text);
      }
      assert.deepEqual(await states(ledger.pool), [
        'churn_contact C-1 verified',
        'churn_contact C-2 verified',
        'restock_alert ["LYS","SKU-1"] verified',
        'restock_ticket ["LYS","SKU-1"] verified',
        'retention_task C-1 verified',
        'retention_task C-2 suppressed',
      ]);
      await warehouse.pool.query("update inventory set on_hand = 50, counted_at = now() where sku = 'SKU-1'");
      await shell.run(aRun('npx readback run --select restock_done'));
      assert.ok((await states(ledger.pool)).includes('restock_done ["LYS","SKU-1"] verified'));
      const held = (await shell.close()).join('\n');
      assert.match(held, /hubspot held 2 contacts, 1 tasks/);
      assert.match(held, /zendesk held 1 tickets/);
      assert.match(held, /slack held 1 messages/);
    } finally {
      await shell.close();
      await ledger.drop();
      await warehouse.drop();
    }
  });

  test('nothing in it is left over: each destination of the README’s second project is loaded', async () => {
    const { project } = await loadSound(filesOf(readme, 'shop'), 'sandbox');
    assert.equal(project.signals.size, 2);
    assert.equal(project.destinations.size, 5);
    assert.equal(project.enrichments.size, 1);
  });
});

async function states(pool: { query(sql: string): Promise<{ rows: unknown[] }> }): Promise<string[]> {
  const { rows } = await pool.query('select destination, entity, state from readback.actions');
  return rows.map((row) => Object.values(row as object).join(' ')).sort();
}

test('the guides do not promise what cannot be promised', () => {
  for (const guide of guides) assert.doesNotMatch(readGuide(guide), /exactly[- ]once/i, guide);
});
