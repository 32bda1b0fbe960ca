import { SingleBar } from 'cli-progress';
import type { GlobalOptions } from './options.ts';

/** How far a command is, shown to people. */
export interface Progress {
  update(done: number, total: number, doing: string): void;
  stop(): void;
}

const silent: Progress = { update: () => {}, stop: () => {} };

/** A bar on standard error when a terminal is attached and `--no-progress` was not given; otherwise nothing. */
export function openProgress(options: Pick<GlobalOptions, 'progress'>): Progress {
  if (!options.progress || !process.stderr.isTTY) return silent;
  const bar = new SingleBar({
    stream: process.stderr,
    format: '{bar} {value}/{total}  {doing}',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    linewrap: false,
  });
  bar.start(0, 0, { doing: '' });
  return {
    update: (done, total, doing) => {
      bar.setTotal(total);
      bar.update(done, { doing });
    },
    stop: () => bar.stop(),
  };
}
