import assert from 'node:assert/strict';
import type {
  ActionType,
  Client,
  Fields,
  Finding,
  Outcome,
  Reading,
  Sandbox,
} from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/hubspot/index.ts';
import { actionsOf } from '../../src/connectors/index.ts';
import { fileSettings } from './desk.ts';

type Options = Record<string, unknown>;

/** A HubSpot sandbox and a client of it that knows no limits. */
export class HubSpotAccount {
  readonly sandbox: Sandbox;
  readonly #client: Client;

  constructor(sandbox: Sandbox, client: Client) {
    this.sandbox = sandbox;
    this.#client = client;
  }

  action(name: string): ActionType {
    return actionsOf(connector)?.[name] ?? assert.fail(name);
  }

  async writeAll(action: string, options: Options, all: Fields[], parentId?: string): Promise<Outcome[]> {
    const items = all.map((fields, n) => ({
      key: `${action}-${n}`,
      requestKey: `${action}-${n}`,
      mayRepeat: false,
      fields,
      parentId,
    }));
    const outcomes = await this.#client.write(action, options, items, this.#call());
    return items.map(({ key }) => outcomes.get(key) ?? assert.fail(key));
  }

  async write(action: string, options: Options, fields: Fields, parentId?: string): Promise<Outcome> {
    const [outcome] = await this.writeAll(action, options, [fields], parentId);
    return outcome ?? assert.fail();
  }

  /** Reads what the first item of a write of this action wrote, without its id. */
  async read(action: string, options: Options, fields: Fields, parentId?: string): Promise<Reading> {
    const key = `${action}-0`;
    const locator = this.action(action).locate(fields, options);
    const item = { key, id: undefined, locator, parentId, fields: Object.keys(fields) };
    const readings = await this.#client.read(action, options, [item], this.#call());
    return readings.get(key) ?? assert.fail();
  }

  check(action: string, options: Options): Promise<Finding[]> {
    return this.#client.check([{ action, options }], this.#call());
  }

  contact(email: string): Promise<string> {
    return this.#made('upsert_contact', { id_property: 'email' }, { email });
  }

  company(customer_id: string): Promise<string> {
    return this.#made('upsert_company', { id_property: 'customer_id' }, { customer_id });
  }

  deal(contract_id: string): Promise<string> {
    const fields = { contract_id, dealname: 'Renewal', dealstage: 'contractsent' };
    return this.#made('upsert_record', { object: 'deals', id_property: 'contract_id' }, fields);
  }

  /** What no action of ours does. */
  async post(path: string, body: object): Promise<void> {
    const response = await fetch(this.sandbox.url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.sandbox.settings.access_token}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, path);
  }

  async close(): Promise<void> {
    await this.#client.close();
    await this.sandbox.close();
  }

  async #made(action: string, options: Options, fields: Fields): Promise<string> {
    const outcome = await this.write(action, options, fields);
    assert.ok(outcome.kind === 'applied', JSON.stringify(outcome));
    return outcome.id;
  }

  #call() {
    return { signal: new AbortController().signal, timeoutMs: 5000 };
  }
}

export async function openAccount(): Promise<HubSpotAccount> {
  const sandbox = await connector.sandbox({ rateLimit: null });
  const gate = { pass: async () => () => {}, heed: () => {} };
  return new HubSpotAccount(sandbox, await connector.open(fileSettings(connector, sandbox.settings), gate));
}
