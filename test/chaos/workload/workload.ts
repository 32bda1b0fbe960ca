import type pg from 'pg';
import { draw, drawBelow, drawHex } from '../random.ts';

/** The four protocols of the stand-ins; each stands for a class of idempotency. */
export type DeskKind = 'keyed' | 'upsert' | 'marker' | 'plain';

/** A destination, its signal, its connection and its stand-in: they all have this name. */
export type Desk = {
  name: string;
  kind: DeskKind;
  /** Transitions to make happen there. */
  actions: number;
  /** Whether entities of an upsert desk change after they entered. They do unless said. */
  changing?: boolean;
};

/** What must be at a desk in the end. */
export type Expected = {
  desk: string;
  /** the last version in the warehouse */
  version: number;
  /** by version, from 1: what the row said at that time */
  tokens: string[];
};

/** How often an entity of an upsert desk changes after it entered. */
export const changesOfUpsert = 3;

type Row = { entity: string; desk: string; version: number; token: string; channel: string };

/**
 * What happens in the warehouse, wave by wave, and so what must happen at the desks. An entity belongs to one desk. At
 * keyed, marker and plain desks it enters once; at upsert desks it then changes a few times. Two changes between two
 * polls are one transition, so of an upsert only the last version must arrive.
 */
export class Workload {
  /** By entity; grows with each wave. */
  readonly expected = new Map<string, Expected>();
  readonly waves: number;
  readonly #seed: number;
  readonly #plan: Row[][];

  constructor(seed: number, desks: readonly Desk[], waves: number) {
    this.#seed = seed;
    this.waves = waves;
    this.#plan = Array.from({ length: waves }, () => []);
    let count = 0;
    for (const desk of desks) {
      const moving = desk.kind === 'upsert' && desk.changing !== false && waves > changesOfUpsert;
      const entities = moving ? Math.ceil(desk.actions / (1 + changesOfUpsert)) : desk.actions;
      for (let index = 0; index < entities; index += 1) {
        this.#planEntity(desk, count, moving);
        count += 1;
      }
    }
  }

  /** How many transitions there will be if no two changes of an entity fall between two polls. */
  get transitions(): number {
    return this.#plan.reduce((sum, wave) => sum + wave.length, 0);
  }

  /** The entities of a desk, of all waves. */
  entitiesOf(desk: string): string[] {
    return this.#plan.flat().flatMap((row) => (row.desk === desk && row.version === 1 ? [row.entity] : []));
  }

  /** Transitions of a wave, at all desks or at all but one. */
  sizeOf(wave: number, ...except: string[]): number {
    return this.#plan[wave]?.filter(({ desk }) => !except.includes(desk)).length ?? 0;
  }

  /** Makes the table that the signals read. */
  static async prepare(warehouse: pg.Pool): Promise<void> {
    await warehouse.query(`create table accounts (
      entity text primary key, desk text not null, version integer not null, token text not null,
      channel text not null, updated_at timestamptz not null default clock_timestamp()
    )`);
    await warehouse.query('create index on accounts (desk)');
  }

  /** Commits one wave to the warehouse and notes what it asks for. */
  async release(warehouse: pg.Pool, wave: number): Promise<void> {
    const rows = this.#plan[wave] ?? [];
    for (const { entity, desk, version, token } of rows) {
      const known = this.expected.get(entity) ?? { desk, version, tokens: [] };
      known.version = version;
      known.tokens[version - 1] = token;
      this.expected.set(entity, known);
    }
    await warehouse.query(
      `insert into accounts (entity, desk, version, token, channel)
      select * from unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[])
      on conflict (entity) do update
      set version = excluded.version, token = excluded.token, updated_at = clock_timestamp()`,
      [
        rows.map((row) => row.entity),
        rows.map((row) => row.desk),
        rows.map((row) => row.version),
        rows.map((row) => row.token),
        rows.map((row) => row.channel),
      ],
    );
  }

  /** An entity's waves follow from its number: it enters in one and, at an upsert desk, changes in later ones. */
  #planEntity(desk: Desk, number: number, moving: boolean): void {
    const entity = `e-${String(number).padStart(5, '0')}`;
    const changes = moving ? changesOfUpsert : 0;
    const first = drawBelow(this.waves - changes, this.#seed, entity, 'enters');
    const waves = [first, ...this.#later(entity, first, changes)];
    for (const [index, wave] of waves.entries()) {
      const version = index + 1;
      const token = `t-${drawHex(this.#seed, entity, version)}`;
      // A search for a lost message sees at most 1,000 messages of a channel, so a channel gets a few hundred.
      const channel = `C0CHAOS${String(Math.floor(number / 300)).padStart(3, '0')}`;
      this.#plan[wave]?.push({ entity, desk: desk.name, version, token, channel });
    }
  }

  /** `count` different waves after `first`, in order. */
  #later(entity: string, first: number, count: number): number[] {
    const left = Array.from({ length: this.waves - first - 1 }, (_, index) => first + 1 + index);
    const chosen = left
      .map((wave) => ({ wave, order: draw(this.#seed, entity, 'wave', wave) }))
      .sort((a, b) => a.order - b.order)
      .slice(0, count);
    return chosen.map(({ wave }) => wave).sort((a, b) => a - b);
  }
}
