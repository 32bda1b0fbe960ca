import type { Destination, Project, Transition } from './config/model.ts';
import type { ActionType, Client } from './connectors/connector.ts';
import { loadConnector } from './connectors/index.ts';
import { ReadbackError } from './errors.ts';
import { ConnectionGate } from './ledger/connection.ts';
import type { Queryable } from './store/queries.ts';
import { type Condition, compileCondition, compileTemplate, type Template } from './templates/index.ts';
import { loadWarehouse } from './warehouses/index.ts';
import type { Warehouse } from './warehouses/warehouse.ts';

/** A destination ready for work: its connection open, its templates compiled. */
export interface Opened extends Compiled {
  destination: Destination;
  type: ActionType;
  client: Client;
  gate: ConnectionGate;
  /** Deadline of one call. */
  timeoutMs: number;
}

/** A destination's templates and condition, compiled. */
export interface Compiled {
  templates: ReadonlyMap<string, Template>;
  /** The same for a row that has left: those of `left_fields`, where there are any. */
  leftTemplates: ReadonlyMap<string, Template>;
  condition: Condition | undefined;
  /** What the templates and the condition name. */
  variables: ReadonlySet<string>;
}

interface Connection {
  client: Client;
  gate: ConnectionGate;
  timeoutMs: number;
  actions: Readonly<Record<string, ActionType>>;
}

/** Everything that is opened on first use and closed at the end: warehouses and connections, each once. */
export class Openings {
  readonly #project: Project;
  readonly #ledger: Queryable;
  readonly #warehouses = new Map<string, Promise<Warehouse>>();
  readonly #connections = new Map<string, Promise<Connection>>();
  readonly #destinations = new Map<string, Promise<Opened>>();

  constructor(project: Project, ledger: Queryable) {
    this.#project = project;
    this.#ledger = ledger;
  }

  warehouse(name: string): Promise<Warehouse> {
    return once(this.#warehouses, name, async () => {
      const config = this.#project.warehouses.get(name);
      const type = config && (await loadWarehouse(config.type));
      if (!config || !type) throw missing('warehouse', name);
      return type.open(config.settings);
    });
  }

  connection(name: string): Promise<Connection> {
    return once(this.#connections, name, async () => {
      const config = this.#project.connections.get(name);
      const connector = config && (await loadConnector(config.connector));
      if (!config || !connector) throw missing('connection', name);
      const limit = config.rateLimit ?? connector.rateLimit;
      const gate = new ConnectionGate(this.#ledger, name, limit, config.timeoutMs);
      await gate.register();
      return {
        client: await connector.open(config.settings, gate),
        gate,
        timeoutMs: config.timeoutMs,
        actions: config.actions,
      };
    });
  }

  destination(destination: Destination): Promise<Opened> {
    return once(this.#destinations, destination.name, async () => {
      const { client, gate, timeoutMs, actions } = await this.connection(destination.connection);
      const type = actions[destination.action];
      if (!type) throw missing(`action of ${destination.connector}`, destination.action);
      return { destination, type, client, gate, timeoutMs, ...compileDestination(destination, type) };
    });
  }

  async close(): Promise<void> {
    const opened = [...this.#warehouses.values(), ...this.#connections.values()];
    for (const one of await Promise.allSettled(opened)) {
      if (one.status === 'rejected') continue;
      const closable = 'client' in one.value ? one.value.client : one.value;
      await closable.close().catch(() => {});
    }
  }
}

/** Compiles a destination's `fields:`, `left_fields:` and `when:`. Throws `TEMPLATE` with file and line. */
export function compileDestination(destination: Destination, type: ActionType): Compiled {
  const place = (key: string) => ({ file: destination.file, ...destination.places.get(key) });
  const compile = (part: string, fields: Record<string, string>) =>
    new Map(
      Object.entries(fields).map(([name, text]) => {
        const filter = type.escape?.fields.includes(name) ? type.escape.filter : undefined;
        const options = filter === undefined ? {} : { escape: filter };
        return [name, compileTemplate(text, place(`${part}.${name}`), options)];
      }),
    );
  const { fields, leftFields, when } = destination;
  const templates = compile('fields', fields);
  const leftTemplates = leftFields ? compile('left_fields', leftFields) : templates;
  const condition = when === undefined ? undefined : compileCondition(when, place('when'));
  const all = [...templates.values(), ...leftTemplates.values(), ...(condition ? [condition] : [])];
  return {
    templates,
    leftTemplates,
    condition,
    variables: new Set(all.flatMap(({ variables }) => variables)),
  };
}

/** The templates that say what is written for a transition. */
export function templatesFor(
  { templates, leftTemplates }: Compiled,
  transition: Transition,
): ReadonlyMap<string, Template> {
  return transition === 'left' ? leftTemplates : templates;
}

/** Opens once; a failed opening is forgotten, so that the next use tries again. */
function once<Value>(
  known: Map<string, Promise<Value>>,
  name: string,
  open: () => Promise<Value>,
): Promise<Value> {
  let opening = known.get(name);
  if (!opening) {
    opening = open();
    known.set(name, opening);
    opening.catch(() => known.delete(name));
  }
  return opening;
}

function missing(kind: string, name: string): ReadbackError {
  return new ReadbackError('CONFIG_REFERENCE', `there is no usable ${kind} named ${name}`, {
    hint: 'Run `readback validate`: it says what is wrong with it.',
  });
}
