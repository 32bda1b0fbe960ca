import { readFileSync } from 'node:fs';
import type { Answer } from './apart.ts';

/** What a measured process can be asked to do. Results travel as JSON. */
export interface Work {
  steps: Readonly<Record<string, (argument: unknown) => Promise<unknown>>>;
  close(): Promise<void>;
}

/** The measured process' side of `Apart`: prepares, then does one step after the other as it is asked. */
export async function serve<Options>(prepare: (options: Options) => Promise<Work>): Promise<void> {
  const send = (answer: Answer) => process.send?.(answer);
  const attempt = async (act: () => Promise<unknown>) => {
    try {
      send({ result: await act() });
    } catch (error) {
      send({ problem: (error as Error).stack ?? String(error) });
    }
  };
  let work: Work | undefined;
  process.on('message', async (asked: { step: string; argument: unknown }) => {
    const act = work?.steps[asked.step];
    if (asked.step === 'end') {
      await attempt(async () => {
        await work?.close();
        return peakRssMb();
      });
      process.disconnect();
    } else {
      await attempt(async () => {
        if (!act) throw new Error(`there is no step ${asked.step}`);
        return act(asked.argument);
      });
    }
  });
  await attempt(async () => {
    work = await prepare(JSON.parse(process.argv[2] ?? '{}') as Options);
  });
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
