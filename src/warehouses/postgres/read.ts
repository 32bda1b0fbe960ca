import type pg from 'pg';
import { ReadbackError } from '../../errors.ts';
import type { Deadline } from '../deadline.ts';
import type { Statement, Value } from '../warehouse.ts';
import { exactTexts } from './values.ts';

/** 1M rows: 1.5 s at 89 MB RSS. */
const batchRows = 2000;
/** Redshift wants a name. */
const portal = 'readback';

type Decode = (text: string) => Value;

/** The messages of the extended protocol, in the shape that the driver takes and its types do not know. */
interface Wire {
  parse(statement: object): void;
  bind(values: object): void;
  describe(what: object): void;
  execute(request: object): void;
  sync(): void;
  stream: { cork(): void; uncork(): void };
}

/** One batch of a statement's rows in one round trip: the first time with the statement, then from where it stands. */
export class Batch {
  readonly rows: Value[][] = [];
  readonly done: Promise<void>;
  /** The count of the command tag; null while there is more to come. */
  told: number | null = null;
  readonly #first: Statement | undefined;
  #decoders: readonly Decode[];
  #resolve = (): void => {};
  #reject = (_: Error): void => {};

  /** @param from the statement, or how to read the rows of one that has begun */
  constructor(from: Statement | readonly Decode[]) {
    this.#first = 'sql' in from ? from : undefined;
    this.#decoders = 'sql' in from ? [] : from;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get decoders(): readonly Decode[] {
    return this.#decoders;
  }

  submit(connection: pg.Connection): void {
    const wire = connection as unknown as Wire;
    wire.stream.cork();
    if (this.#first) {
      wire.parse({ text: this.#first.sql });
      wire.bind({ portal, values: this.#first.params.map(toText) });
      wire.describe({ type: 'P', name: portal });
    }
    wire.execute({ portal, rows: batchRows });
    wire.sync();
    wire.stream.uncork();
  }

  handleRowDescription({ fields }: { fields: pg.FieldDef[] }): void {
    this.#decoders = fields.map((field) => exactTexts.getTypeParser(field.dataTypeID, 'text') as Decode);
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.rows.push(fields.map((text, at) => (text === null ? null : (this.#decoders[at]?.(text) ?? text))));
  }

  handlePortalSuspended(): void {}

  handleEmptyQuery(): void {}

  handleCommandComplete({ text }: { text: string }): void {
    this.told = Number(/\d+$/.exec(text)?.[0] ?? 0);
  }

  handleReadyForQuery(): void {
    this.#resolve();
  }

  handleError(error: Error): void {
    this.#reject(error);
  }
}

/** As Postgres reads it, lists as arrays. */
function toText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (!Array.isArray(value)) return String(value);
  const quoted = (text: string | null) => (text === null ? 'null' : `"${text.replace(/["\\]/g, '\\$&')}"`);
  return `{${value.map((item) => quoted(toText(item))).join(',')}}`;
}

/**
 * Streams a result batch by batch. Postgres ends a result with a count of the rows it sent last and reports every
 * error; a batch that is neither full nor counted means that something between here and there cut it short.
 */
export async function* readRows(
  client: pg.ClientBase,
  statement: Statement,
  deadline: Deadline,
): AsyncGenerator<Value[][]> {
  for (let from: Statement | readonly Decode[] = statement; ; ) {
    const batch: Batch = client.query(new Batch(from));
    await deadline.race(batch.done);
    const { rows, told } = batch;
    const expected = told ?? batchRows;
    if (rows.length !== expected) {
      throw new ReadbackError(
        'WAREHOUSE_INCOMPLETE',
        `${rows.length} rows arrived of ${expected} in a batch`,
      );
    }
    if (rows.length > 0) yield rows;
    deadline.check();
    if (told !== null) return;
    from = batch.decoders;
  }
}
