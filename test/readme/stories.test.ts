import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { type Answer, readback } from '../cli/readback.ts';
import { blocksOf, checkout, readGuide } from './blocks.ts';
import { compareOutput } from './output.ts';

const blocks = blocksOf('README.md');
const shown = blocks.filter(({ attributes }) => attributes.get('project') === 'stories');

test('what the README shows of the example project is in its files, in that order', () => {
  const excerpts = blocks.filter(({ attributes }) => attributes.has('excerpt'));
  assert.ok(excerpts.length >= 8);
  for (const { attributes, text, line } of excerpts) {
    const rest = readGuide(attributes.get('excerpt') ?? '').split('\n');
    for (const one of text.trimEnd().split('\n')) {
      const at = rest.indexOf(one);
      assert.notEqual(at, -1, `README.md:${line}: ${one}`);
      rest.splice(0, at + 1);
    }
  }
});

describe('the demo', () => {
  let demo: Answer;
  let folder = '';

  before(async () => {
    demo = await readback(checkout, 'demo', '--keep');
    folder = /The demo project is in (.+)/.exec(demo.stdout)?.[1] ?? '';
  });
  after(async () => {
    if (folder) await rm(folder, { recursive: true });
  });

  test('ends well, with every action accounted for', () => {
    assert.equal(demo.code, 0, demo.stdout + demo.stderr);
    assert.match(demo.stdout, /^all( +\d+)+ +0$/m);
  });

  test('shows each misfortune mended', () => {
    const mended = [
      /^ {2}restock_order .*429 too many requests → wait, then send; not an attempt → verified$/m,
      /^ {2}restock_order .*accepted by the destination, but not there; sent again → send again → verified$/m,
      /^ {2}churn_contact .*the connection broke \(ECONNRESET\) → read back before anything else → verified$/m,
      /^ {2}\w+_(?:alert|message) .*the connection broke \(ECONNRESET\) → read back before anything else → verified$/m,
      /^ {2}churn_contact \(C-11733\): VALIDATION_ERROR: .* → give up → rejected$/m,
    ];
    for (const line of mended) assert.match(demo.stdout, line);
  });

  test('prints what the README shows, and its ledger tells the rest', async () => {
    assert.ok(shown.length >= 4);
    for (const block of shown) {
      const [, ...words] = (block.attributes.get('output') ?? '').split(' ');
      const printed = words[0] === 'demo' ? demo.stdout : (await readback(folder, ...words)).stdout;
      compareOutput(block, printed);
    }
  });
});
