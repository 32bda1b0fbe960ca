import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { referencePattern } from '../../src/config/references.ts';
import { Secret } from '../../src/config/secret.ts';
import type { Value, WarehouseType } from '../../src/warehouses/warehouse.ts';
import { examineDigests } from './exam-digests.ts';
import { examineReading } from './exam-reading.ts';
import { examineRefusals } from './exam-refusals.ts';
import { examineSignals } from './exam-signals.ts';
import { examineStopping } from './exam-stopping.ts';
import { type Candidate, type Fixture, patient } from './fixture.ts';

/** The exam every warehouse sits. */
export function examine(type: WarehouseType, makeFixture: () => Promise<Fixture>): void {
  describe(`warehouse ${type.name}`, () => {
    const candidate = {} as Candidate;
    before(async () => {
      candidate.fixture = await makeFixture();
      candidate.warehouse = await type.open(type.schema.parse(candidate.fixture.settings));
      candidate.spell = (sql) => candidate.fixture.dialect.spell?.(sql) ?? sql;
      candidate.rows = async (statement, options) => {
        const rows: Value[][] = [];
        const asked = typeof statement === 'string' ? { sql: statement, params: [] } : statement;
        for await (const batch of candidate.warehouse.read(asked, { ...patient, ...options }))
          rows.push(...batch);
        return rows;
      };
    });
    after(async () => {
      await candidate.warehouse?.close();
      await candidate.fixture?.close();
    });
    it('has an example that its schema accepts', () => {
      const example = parse(type.example, (_, value) =>
        typeof value === 'string' && referencePattern.test(value) ? new Secret('postgres://host/db') : value,
      );
      assert.ok(type.schema.safeParse(example).success);
    });
    describe('reading', () => examineReading(candidate));
    describe('refusals', () => examineRefusals(candidate, type));
    describe('stopping', () => examineStopping(candidate));
    describe('signals', () => examineSignals(candidate));
    describe('digests', () => examineDigests(candidate));
  });
}
