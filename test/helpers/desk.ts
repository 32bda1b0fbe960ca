import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { parse } from 'yaml';
import { sharedSchema } from '../../src/config/root.ts';
import { Secret } from '../../src/config/secret.ts';
import {
  type Actions,
  type ActionType,
  type CallOptions,
  type Client,
  type Connector,
  type Fields,
  type Gate,
  NotSent,
  type Outcome,
  type ReadItem,
  type Reading,
  type Sandbox,
  type WriteItem,
} from '../../src/connectors/connector.ts';
import { actionsOf } from '../../src/connectors/index.ts';

/** What the exam needs to know about an action, because only its author can. */
export interface Candidate {
  /** Plain values for the nth record; every one different. Untidy forms that the vendor tidies are welcome. */
  fields(n: number): Fields;
  options?: Record<string, unknown>;
  /** `SandboxRecord.type` of what the action writes. */
  type: string;
  /** Text that occurs only in the request that writes (or reads back), when one call makes several requests. */
  writes?: string;
  reads?: string;
  /** How requests name the item of a key, when not by the key itself. */
  mark?(key: string): string;
  /** Fields that a write only puts in place by a later request, so that they are missing when the first one fails. */
  later?: string[];
  /** How many requests must agree before the connector believes that a record is absent; 1 if it says nothing. */
  absence?: number;
  /** False where the vendor's refusal for too many requests never tells for how long. */
  saysHowLong?: boolean;
  /** Makes records the action relies on. */
  prepare?(client: Client, call: CallOptions, sandbox: Sandbox): Promise<void>;
  /** Makes the record the nth item works on; returns its id. */
  parent?(client: Client, call: CallOptions, n: number): Promise<string>;
}

/** Lets everything pass and counts it, until told to close. */
class ExamGate implements Gate {
  passed = 0;
  #left = Number.POSITIVE_INFINITY;
  #outcome: NotSent['outcome'] | undefined;

  closeAfter(passes: number, outcome: NotSent['outcome']): void {
    this.#left = passes;
    this.#outcome = outcome;
  }

  open(): void {
    this.#left = Number.POSITIVE_INFINITY;
  }

  /** What the connector passed on at once. */
  readonly heeded: NotSent['outcome'][] = [];

  heed(refusal: NotSent['outcome']): void {
    this.heeded.push(refusal);
  }

  /** Requests that passed and of which the gate does not know that they were answered. */
  unanswered = 0;

  async pass(): Promise<() => void> {
    if (this.#left <= 0 && this.#outcome) throw new NotSent(this.#outcome);
    this.#left -= 1;
    this.passed += 1;
    this.unanswered += 1;
    return () => {
      this.unanswered -= 1;
    };
  }
}

const token = 'exam-secret-7Qx9';

/**
 * One question's sandbox and client. When the question is answered it is checked, whatever was asked, that every
 * request went through the gate and that no answer, error or log line held a secret.
 */
export class Desk {
  readonly gate = new ExamGate();
  /** Everything the connector ever said. */
  readonly evidence: unknown[] = [];
  readonly connector: Connector;
  readonly name: string;
  readonly action: ActionType;
  readonly options: Record<string, unknown>;
  readonly sandbox: Sandbox;
  readonly candidate: Candidate;
  readonly #parents: string[] = [];
  client!: Client;
  #writesBefore = 0;

  private constructor(connector: Connector, name: string, candidate: Candidate, sandbox: Sandbox) {
    this.connector = connector;
    this.name = name;
    this.action = examinedActions(connector)[name] as ActionType;
    this.options = this.action.options.parse(candidate.options ?? {});
    this.candidate = candidate;
    this.sandbox = sandbox;
  }

  static async sit(
    connector: Connector,
    name: string,
    candidate: Candidate,
    work: (desk: Desk) => Promise<void>,
  ): Promise<void> {
    const sandbox = await connector.sandbox({ token, rateLimit: null });
    const desk = new Desk(connector, name, candidate, sandbox);
    const restore = listen(desk.evidence);
    try {
      desk.client = await connector.open(
        fileSettings(connector, sandboxSettings(connector, sandbox)),
        desk.gate,
      );
      await candidate.prepare?.(desk.client, desk.call(), sandbox);
      for (let n = 0; candidate.parent && n < 3; n += 1) {
        desk.#parents.push(await candidate.parent(desk.client, desk.call(), n));
      }
      desk.#writesBefore = desk.#allWrites();
      const bypassed = sandbox.requests().length - desk.gate.passed;
      await work(desk);
      const sent = sandbox.requests().length;
      assert.equal(desk.gate.passed, sent - bypassed, 'every request passes the gate once');
      assert.equal(desk.gate.unanswered, 0, 'the gate is told of every answer');
    } catch (error) {
      desk.evidence.push(error instanceof assert.AssertionError ? error.message : error);
      throw error;
    } finally {
      restore();
      await desk.client?.close();
      await sandbox.close();
    }
    desk.#keepsSecrets();
  }

  /** `0`: a first-ever item, and so on. Keys look like real ones. */
  items(count: number): [WriteItem, ...WriteItem[]] {
    const made = Array.from({ length: count }, (_, n) => {
      const key = `exam-key-${this.name}-${n}-x`;
      const fields = this.action.fields.parse(this.candidate.fields(n));
      return { key, requestKey: key, mayRepeat: true, fields, parentId: this.#parents[n] };
    });
    return made as unknown as [WriteItem, ...WriteItem[]];
  }

  /** A client with other credentials than the sandbox accepts. */
  stranger(): Promise<Client> {
    const settings = sandboxSettings(this.connector, this.sandbox);
    for (const [name, value] of Object.entries(settings))
      if (typeof value === 'string') settings[name] = value.replace(token, `${token}-wrong`);
    return this.connector.open(fileSettings(this.connector, settings), this.gate);
  }

  /** A client of a vendor that is not there: nobody listens at its address. */
  async castaway(): Promise<Client> {
    const gone = await this.connector.sandbox({ token });
    await gone.close();
    return this.connector.open(fileSettings(this.connector, sandboxSettings(this.connector, gone)), {
      pass: async () => () => {},
      heed: () => {},
    });
  }

  call(): CallOptions {
    return { signal: new AbortController().signal, timeoutMs: 5000 };
  }

  async write(items: WriteItem[], call = this.call()): Promise<Map<string, Outcome>> {
    const outcomes = await this.client.write(this.name, this.options, items, call);
    this.evidence.push(outcomes);
    return outcomes;
  }

  async writeOne(item: WriteItem, call = this.call()): Promise<Outcome> {
    const outcome = (await this.write([item], call)).get(item.key);
    assert.ok(outcome, 'the write says nothing about its item');
    return outcome;
  }

  async read(
    items: WriteItem[],
    ids?: Map<string, string>,
    call = this.call(),
  ): Promise<Map<string, Reading>> {
    const asked = items.map((item) => this.readItem(item, ids?.get(item.key)));
    const readings = await this.client.read(this.name, this.options, asked, call);
    this.evidence.push(readings);
    return readings;
  }

  async readOne(item: WriteItem, id?: string, call = this.call()): Promise<Reading> {
    const ids = id === undefined ? undefined : new Map([[item.key, id]]);
    const reading = (await this.read([item], ids, call)).get(item.key);
    assert.ok(reading, 'the read says nothing about its item');
    return reading;
  }

  readItem(item: WriteItem, id?: string): ReadItem {
    const locator = this.action.locate(item.fields, this.options);
    const fields = Object.keys(item.fields).filter((field) => !this.action.unreadable.includes(field));
    return { key: item.key, id, locator, parentId: item.parentId, fields };
  }

  /** The fields in which what was read is not what was sent; `record` when nothing was read at all. */
  differences(item: WriteItem, reading: Reading | undefined): string[] {
    if (reading?.kind !== 'found') return ['record'];
    return this.readItem(item).fields.filter(
      (field) =>
        this.action.canonical(field, item.fields[field]) !==
        this.action.canonical(field, reading.fields[field]),
    );
  }

  /** Whether the vendor can be asked what it holds. */
  get readable(): boolean {
    return this.action.unverifiable === undefined;
  }

  /** Whether a read-back tells of the write: the item as it was sent, against nothing or older values. */
  isWritten(item: WriteItem, reading: Reading, later: string[] = []): boolean {
    assert.ok(['found', 'absent'].includes(reading.kind), JSON.stringify(reading));
    return this.differences(item, reading).every((field) => later.includes(field));
  }

  /** How many writes the sandbox holds of this action's type since the question began. */
  writes(): number {
    return this.#allWrites() - this.#writesBefore;
  }

  /** Text by which a fault can pick this item out of a batch. */
  markOf(item: WriteItem | undefined): string {
    return this.candidate.mark?.(item?.key ?? '') ?? item?.key ?? '';
  }

  atWrite(): { match?: string } {
    return this.candidate.writes === undefined ? {} : { match: this.candidate.writes };
  }

  atRead(): { match?: string } {
    return this.candidate.reads === undefined ? {} : { match: this.candidate.reads };
  }

  #allWrites(): number {
    const records = this.sandbox.records().filter(({ type }) => type === this.candidate.type);
    return records.reduce((sum, { writes }) => sum + writes, 0);
  }

  #keepsSecrets(): void {
    const said = [
      JSON.stringify(this.evidence, plain),
      inspect(this.evidence, { depth: 12, showHidden: true }),
    ];
    for (const secret of [token, Buffer.from(token).toString('base64').replace(/=+$/, '')]) {
      for (const text of said) assert.ok(!text.includes(secret), 'a secret was told');
    }
  }
}

/** The connection of the connector's example, as written, without what the loader takes for itself. */
export function exampleSettings(connector: Connector): Record<string, unknown> {
  const connections = Object.values(parse(connector.example) as Record<string, Record<string, unknown>>);
  assert.equal(connections.length, 1);
  const shared = Object.keys(sharedSchema.shape);
  return Object.fromEntries(Object.entries(connections[0] ?? {}).filter(([key]) => !shared.includes(key)));
}

/** The actions that sit the exam: where the settings describe them, those of the example. */
export function examinedActions(connector: Connector): Actions {
  return actionsOf(connector, exampleSettings(connector)) ?? assert.fail('the example describes no actions');
}

/** The example with what reaches a sandbox laid over it, as a target does. */
function sandboxSettings(connector: Connector, sandbox: Sandbox): Record<string, unknown> {
  const { connector: _, ...example } = exampleSettings(connector);
  return { ...example, ...sandbox.settings };
}

/** Settings as the loader hands them over: what must be a secret is wrapped, and nothing else. */
export function fileSettings(
  connector: Connector,
  written: Record<string, unknown>,
): Record<string, unknown> {
  const settings: Record<string, unknown> = { ...written };
  for (const issue of connector.schema.safeParse(settings).error?.issues ?? []) {
    const name = String(issue.path[0]);
    if (settings[name] !== undefined) settings[name] = new Secret(String(settings[name]));
  }
  return connector.schema.parse(settings);
}

/** Keeps a copy of what goes to the console until restored. */
function listen(evidence: unknown[]): () => void {
  const methods = ['debug', 'error', 'info', 'log', 'warn'] as const;
  const originals = methods.map((method) => console[method]);
  for (const method of methods) console[method] = (...said: unknown[]) => evidence.push(said);
  return () => {
    for (const [index, method] of methods.entries()) {
      const original = originals[index];
      if (original) console[method] = original;
    }
  };
}

/** JSON with maps and errors opened up. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map) return [...value];
  if (value instanceof Error)
    return { ...value, message: value.message, stack: value.stack, cause: value.cause };
  return value;
}
