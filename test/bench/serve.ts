import { readFileSync } from 'node:fs';
import type { Answer } from './apart.ts';

/** What a measured process can be asked to do, besides `processor`: the microseconds it has computed. Results travel as JSON. */
export interface Work {
  steps: Readonly<Record<string, (argument: unknown) => Promise<unknown>>>;
  close(): Promise<void>;
}

/** The measured process' side of `Apart`: prepares, then does one step after the other as it is asked. */
export function serve<Options>(prepare: (options: Options) => Promise<Work>): void {
  const send = (answer: Answer) => process.send?.(answer);
  const attempt = async (act: () => Promise<unknown>) => {
    try {
      send({ result: await act() });
    } catch (error) {
      send({ problem: (error as Error).stack ?? String(error) });
    }
  };
  let work: Work | undefined;
  process.on('message', async ({ step, argument }: { step: string; argument: unknown }) => {
    await attempt(async () => {
      if (step === 'prepare') work = await prepare(argument as Options);
      else if (step === 'end') await work?.close();
      else return perform(work, step, argument);
      return step === 'end' ? peakRssMb() : undefined;
    });
    if (step === 'end') process.disconnect();
  });
}

async function perform(work: Work | undefined, step: string, argument: unknown): Promise<unknown> {
  if (step === 'processor') return processorTime();
  const act = work?.steps[step];
  if (!act) throw new Error(`there is no step ${step}`);
  return act(argument);
}

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/**
 * The most memory this process ever had. Linux hands `maxRSS` of `resourceUsage` down from the process that forked it,
 * so the high-water mark of our own address space is read where there is one.
 */
function peakRssMb(): number {
  let kilobytes = process.resourceUsage().maxRSS;
  try {
    const mark = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (mark !== undefined) kilobytes = Number(mark);
  } catch {
    // Not Linux.
  }
  return Math.round(kilobytes / 102.4) / 10;
}
