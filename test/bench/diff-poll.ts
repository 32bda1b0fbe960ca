import { type RunningOptions, startEngine } from './engine.ts';
import { serve } from './serve.ts';

export interface DiffPolled {
  seconds: number;
  changed: number;
  /** Characters of all values that the warehouse gave. All are ASCII, so these are bytes, without any protocol's own. */
  bytes: number;
}

/** Polls of one table by signals that compare in different ways. The argument of a step is the signal. */
serve<RunningOptions>(async (options) => {
  const running = await startEngine(options);
  const warehouse = await running.warehouse('analytics');
  const read = warehouse.read.bind(warehouse);
  let bytes = 0;
  warehouse.read = async function* (statement, given) {
    for await (const batch of read(statement, given)) {
      for (const row of batch) for (const value of row) bytes += value?.length ?? 0;
      yield batch;
    }
  };
  const poll = async (signal: unknown, expected: 'baseline' | 'done'): Promise<DiffPolled> => {
    bytes = 0;
    const started = performance.now();
    const { changed } = await running.poll(String(signal), expected);
    return { seconds: (performance.now() - started) / 1000, changed, bytes };
  };
  return {
    steps: { baseline: (signal) => poll(signal, 'baseline'), poll: (signal) => poll(signal, 'done') },
    close: running.close,
  };
});
