import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFault } from '../../src/cli/faults.ts';
import { collectKeys, splitList } from '../../src/cli/options.ts';
import { formatRows } from '../../src/cli/output.ts';
import { parseSince } from '../../src/cli/since.ts';

test('--only takes keys apart at commas, and a key of several columns as its JSON array', () => {
  assert.deepEqual(collectKeys('C-1, C-2,'), ['C-1', 'C-2']);
  assert.deepEqual(collectKeys('["C-1", "E,U"]', ['C-9']), ['C-9', '["C-1","E,U"]']);
  assert.deepEqual(collectKeys('[odd'), ['[odd']);
});

test('a list forgives blanks and empty parts', () => {
  assert.deepEqual(splitList(' rejected,, dead '), ['rejected', 'dead']);
});

test('--since is a duration, a day, a time or all', () => {
  const now = new Date('2026-02-01T12:00:00Z');
  assert.equal(parseSince('24h', now)?.toISOString(), '2026-01-31T12:00:00.000Z');
  assert.equal(parseSince('2026-01-31', now)?.toISOString(), '2026-01-31T00:00:00.000Z');
  assert.equal(parseSince('2026-01-31T09:00:00+02:00', now)?.toISOString(), '2026-01-31T07:00:00.000Z');
  assert.equal(parseSince('all', now), undefined);
  for (const wrong of ['yesterday', '1', '24', '2026-13-01', '2026-01-31x'])
    assert.throws(() => parseSince(wrong, now), { code: 'USAGE' }, wrong);
});

test('--fault names a kind, perhaps a connector and how often', () => {
  assert.deepEqual(parseFault('throttle'), { connector: undefined, fault: { kind: 'throttle' } });
  assert.deepEqual(parseFault('slack=cut_after_write:3'), {
    connector: 'slack',
    fault: { kind: 'cut_after_write', times: 3 },
  });
  assert.throws(() => parseFault('throtle'), { code: 'USAGE', hint: 'did you mean throttle?' });
});

test('rows are a table for people, JSON for programs, CSV for sheets', () => {
  const rows = [{ name: 'a', tags: ['x', 'y'], size: null }];
  assert.equal(formatRows('table', ['name', 'tags', 'size'], rows), 'name  tags  size\na     x, y\n');
  assert.equal(formatRows('csv', ['name', 'tags', 'size'], rows), 'name,tags,size\na,"x, y",\n');
  assert.deepEqual(JSON.parse(formatRows('json', ['name'], rows)), rows);
});

test('a value from a warehouse cannot take over the terminal', () => {
  assert.equal(formatRows('table', ['name'], [{ name: '\u001b[2Jgone\nnext' }]), 'name\n[2Jgone next\n');
});
