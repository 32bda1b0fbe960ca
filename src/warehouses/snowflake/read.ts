import type { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import type { RowStatement } from 'snowflake-sdk';
import { ReadbackError } from '../../errors.ts';
import type { Deadline } from '../deadline.ts';
import type { Value } from '../warehouse.ts';
import { keepRaw, unreadable } from './driver.ts';
import { decoderOf } from './values.ts';

const batchRows = 2000;

/** The driver's stream has been seen to stop without a word (snowflake-connector-nodejs#1418). */
export const idleMs = 30_000;

/**
 * Streams a result. The rows of the answer come first, then chunks, one of them ahead; a chunk that cannot be fetched is
 * tried again by the driver. Whatever ends the stream, as many rows must have come as the server said.
 */
export async function* readRows(
  statement: RowStatement,
  deadline: Deadline,
  longestPauseMs = idleMs,
): AsyncGenerator<Value[][]> {
  const columns = statement.getColumns() ?? [];
  keepRaw(columns);
  const decoders = columns.map(decoderOf);
  const expected = statement.getNumRows();
  const stream = statement.streamRows();
  const arrivals = new Arrivals(stream, statement as unknown as EventEmitter);
  let read = 0;
  try {
    for (;;) {
      const rows = take(stream, decoders);
      read += rows.length;
      if (rows.length > 0) yield rows;
      else if (arrivals.ended) break;
      else await deadline.race(arrivals.next(longestPauseMs));
      deadline.check();
    }
  } catch (error) {
    throw error instanceof ReadbackError ? error : incomplete(read, expected, error);
  } finally {
    stream.destroy();
  }
  if (read !== expected) throw incomplete(read, expected);
}

function take(stream: Readable, decoders: ((raw: unknown) => Value)[]): Value[][] {
  const rows: Value[][] = [];
  while (rows.length < batchRows) {
    const row = stream.read();
    if (row === null) break;
    rows.push(decoders.map((decode, at) => decode(row[at])));
  }
  return rows;
}

/** What a stream tells, kept until somebody asks. */
class Arrivals {
  ended = false;
  #failure: Error | undefined;
  #news = false;
  #wake = (): void => {};

  constructor(stream: Readable, statement: EventEmitter) {
    const tell = (change: () => void) => () => {
      change();
      this.#news = true;
      this.#wake();
    };
    const fail = (failure: Error) => tell(() => (this.#failure ??= failure))();
    stream.on(
      'readable',
      tell(() => {}),
    );
    stream.on(
      'end',
      tell(() => (this.ended = true)),
    );
    stream.on('error', fail);
    statement.on(unreadable, () => fail(new Error('a part of the result cannot be read')));
  }

  /** Resolves when there is something to read or the end; throws what went wrong, or after a pause that is too long. */
  async next(longestPauseMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    if (!this.#news && !this.#failure) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(() => {
          this.#failure ??= new Error(`nothing came for ${longestPauseMs} ms`);
          resolve();
        }, longestPauseMs);
      });
    }
    clearTimeout(timer);
    this.#news = false;
    if (this.#failure) throw this.#failure;
  }
}

function incomplete(read: number, expected: number, cause?: unknown): ReadbackError {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return new ReadbackError('WAREHOUSE_INCOMPLETE', `${read} rows arrived of ${expected}${reason}`);
}
