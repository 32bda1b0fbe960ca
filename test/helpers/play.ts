import assert from 'node:assert/strict';
import { openWarehouses } from '../../src/cli/warehouses.ts';
import type { SandboxRecord } from '../../src/connectors/connector.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { findDeadLetters, pause, resume, retryDeadLetters } from '../../src/ledger/commands.ts';
import type { ActionState } from '../../src/ledger/state.ts';
import { type PreviewedEntity, previewSignal } from '../../src/preview.ts';
import { transaction } from '../../src/store/database.ts';
import { type Rig, rig } from './project.ts';

export const signalFile = `/*
key: customer_id
when: score > 0.8
on: [entered, left]
*/
select customer_id, name, score from customers`;

const setup = `
create table customers as
select 'C-' || i as customer_id, 'Customer ' || i || '.' as name, 0.1 as score from range(50) as r (i)`;

type ByDestination = Record<string, string | null>;

/** A project with a play of several steps, worked on by one engine; each test takes a customer of its own. */
export class Play {
  readonly house: Rig;
  readonly engine: Engine;
  #number = 0;

  constructor(house: Rig, engine: Engine) {
    this.house = house;
    this.engine = engine;
  }

  get sandboxes() {
    return this.house.sandboxes;
  }

  get entity(): string {
    return `C-${this.#number}`;
  }

  /** The name that only this test's records bear. */
  get customer(): string {
    return `Customer ${this.#number}.`;
  }

  nextCustomer(): void {
    this.#number += 1;
  }

  async rename(name: string): Promise<void> {
    await this.house.warehouse.run(
      `update customers set name = '${name}' where customer_id = '${this.entity}'`,
    );
  }

  /** The customer meets the signal; answers its name. */
  async enter(): Promise<string> {
    await this.score(0.9);
    return this.customer;
  }

  async score(score: number): Promise<void> {
    await this.setScore(score);
    await this.poll();
  }

  /** Without a poll. */
  async setScore(score: number): Promise<void> {
    const where = `where customer_id = '${this.entity}'`;
    await this.house.warehouse.run(`update customers set score = ${score} ${where}`);
  }

  /** The customer as `readback preview` shows it. */
  async preview(): Promise<PreviewedEntity[]> {
    const { project } = this.house;
    const [signal] = project.signals.values();
    const warehouses = openWarehouses(project);
    try {
      const open = (name: string) => warehouses.warehouse(name);
      return signal ? await previewSignal(project, signal, open, { limit: 1, only: [this.entity] }) : [];
    } finally {
      await warehouses.close();
    }
  }

  async poll(only: readonly string[] = []): Promise<void> {
    for (const signal of this.house.project.signals.values()) {
      const { state, reason } = await this.engine.poll(signal, only);
      assert.ok(state === 'done' || state === 'baseline', reason ?? state);
    }
  }

  records(connector: string, containing: string): SandboxRecord[] {
    const all = this.sandboxes.get(connector)?.records() ?? [];
    return all.filter((record) => JSON.stringify(record.fields).includes(containing));
  }

  /** Where the customer's actions ended, by destination. */
  async states(): Promise<ByDestination> {
    await this.house.settled('any', 60_000);
    return this.openStates();
  }

  async openStates(): Promise<ByDestination> {
    return this.#byDestination((row) => row.state);
  }

  async reasons(): Promise<ByDestination> {
    return this.#byDestination((row) => row.reason);
  }

  /** Destinations in the order in which their last writes began. */
  async sentInOrder(): Promise<string[]> {
    const rows = await this.#actions();
    const sent = rows.filter((row) => row.sent_at !== null);
    return sent.toSorted((a, b) => Number(a.sent_at) - Number(b.sent_at)).map((row) => row.destination);
  }

  /** Whether a destination's action was first sent when that of another had ended. */
  async beganAfter(later: string, earlier: string): Promise<boolean> {
    const { rows } = await this.house.database.pool.query<{ after: boolean }>(
      `select min(attempts.at) >= earlier.settled_at as after
       from actions as later
       join attempts on attempts.id = any(later.attempt_ids) and attempts.outcome = 'intent'
       join actions as earlier on earlier.message = later.message and earlier.destination = $3
       where later.entity = $1 and later.destination = $2
       group by earlier.settled_at`,
      [this.entity, later, earlier],
    );
    return rows[0]?.after ?? false;
  }

  /** Waits until the reason of a destination's action is like this. */
  async until(destination: string, reason: RegExp): Promise<void> {
    await this.#wait(`${destination} ${reason}`, async () =>
      reason.test((await this.reasons())[destination] ?? ''),
    );
  }

  /** Waits until a destination's action is in a state. */
  async reached(destination: string, state: ActionState): Promise<void> {
    await this.#wait(`${destination} ${state}`, async () => (await this.openStates())[destination] === state);
  }

  /** What was done for a destination's action, call by call. */
  async calls(destination: string): Promise<string[]> {
    const { rows } = await this.house.database.pool.query<{ outcome: string }>(
      `select attempts.outcome from attempts join actions on attempts.id = any(actions.attempt_ids)
       where actions.entity = $1 and actions.destination = $2 order by attempts.id`,
      [this.entity, destination],
    );
    return rows.map((row) => row.outcome);
  }

  /** How many actions of the customer a destination has. */
  async count(destination: string): Promise<number> {
    return (await this.#actions()).filter((row) => row.destination === destination).length;
  }

  /** @param only destinations; all if absent */
  async retry(states: readonly ActionState[], only?: string[]): Promise<void> {
    const { pool } = this.house.database;
    const { signals, destinations } = this.house.project;
    const filter = { states, signals: [...signals.keys()], destinations: only ?? [...destinations.keys()] };
    const letters = await findDeadLetters(pool, { ...filter, only: [this.entity] });
    await retryDeadLetters(pool, letters, new Map([...destinations.keys()].map((name) => [name, 3_600_000])));
  }

  /** Its ttl is over now. */
  async expire(destination: string): Promise<void> {
    await this.house.database.pool.query(
      'update actions set expires_at = clock_timestamp() where entity = $1 and destination = $2',
      [this.entity, destination],
    );
  }

  async pause(name: string): Promise<void> {
    const target = { kind: 'destination' as const, name };
    await transaction(this.house.database.pool, (client) => pause(client, target, 'a test', 'any'));
  }

  async resume(name: string): Promise<void> {
    const target = { kind: 'destination' as const, name };
    await transaction(this.house.database.pool, (client) => resume(client, target));
  }

  async unbalanced(): Promise<unknown[]> {
    const { rows } = await this.house.database.pool.query('select * from balance where unaccounted <> 0');
    return rows;
  }

  close(): Promise<void> {
    return this.house.close();
  }

  async #wait(what: string, fact: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!(await fact())) {
      assert.ok(Date.now() < deadline, `never: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #byDestination(fact: (row: Row) => string | null): Promise<ByDestination> {
    return Object.fromEntries((await this.#actions()).map((row) => [row.destination, fact(row)]));
  }

  async #actions(): Promise<Row[]> {
    const { rows } = await this.house.database.pool.query<Row>(
      'select destination, state, reason, sent_at from actions where entity = $1 order by sequence',
      [this.entity],
    );
    return rows;
  }
}

interface Row {
  destination: string;
  state: string;
  reason: string | null;
  sent_at: Date | null;
}

/**
 * @param files signals and destinations by path; the table is `customers (customer_id, name, score)`
 * @param given what else the files refer to by `env:`
 */
export async function play(files: Record<string, string>, given: Record<string, string> = {}): Promise<Play> {
  const house = await rig(files, setup, given);
  const made = new Play(house, await house.engine());
  await made.poll();
  return made;
}
