import { type RunningOptions, startEngine } from './engine.ts';
import { serve } from './serve.ts';

export interface Polled {
  seconds: number;
  changed: number;
}

/** Polls of a large signal. Each step is one poll, timed from outside the engine. */
serve<RunningOptions>(async (options) => {
  const running = await startEngine(options);
  const poll = async (expected: 'baseline' | 'done'): Promise<Polled> => {
    const started = performance.now();
    const { changed } = await running.poll('customers', expected);
    return { seconds: (performance.now() - started) / 1000, changed };
  };
  return {
    steps: { baseline: () => poll('baseline'), poll: () => poll('done') },
    close: running.close,
  };
});
