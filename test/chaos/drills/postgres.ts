import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Drill, DrillOptions } from '../drill.ts';
import { type Figures, percentile } from '../figures.ts';
import { Cutter } from '../fleet/cutter.ts';
import { inScene, type Scene } from '../fleet/scene.ts';
import { SmallDisk } from '../fleet/small-disk.ts';
import { until } from '../fleet/wait.ts';
import { draw } from '../random.ts';
import { fourDesks } from '../workload/desks.ts';

export const drill: Drill = {
  name: 'postgres',
  summary: 'the ledger crashes and restarts, loses answers to COMMIT, and runs out of disk',
  actions: 20_000,
  run,
};

const forms = {
  long: { restarts: 20, cutMs: 60_000, fullMs: 20_000, calmMs: 15 * 60_000 },
  short: { restarts: 1, cutMs: 4_000, fullMs: 3_000, calmMs: 60_000 },
};
/** From the moment the server answers again. */
const resumeLimitMs = 5_000;
const diskMegabytes = 400;

async function run({ seed, actions, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const form = short ? forms.short : forms.long;
  let cutter: Cutter | undefined;
  let disk: SmallDisk | undefined;
  const waves = form.restarts + 2;
  // Slow enough that there is always something under way.
  const desks = fourDesks(actions).map((desk) => ({ ...desk, standin: { delayMs: 50 } }));
  const options = {
    drill: drill.name,
    seed,
    desks,
    waves,
    say,
    betweenLedger: async (port: number) => {
      cutter = await Cutter.open(seed, port);
      return cutter.port;
    },
    ledgerFolder: (folder: string) => {
      disk = SmallDisk.mount(join(folder, 'small-disk'), diskMegabytes);
      return disk?.folder;
    },
    stopped: () => {
      cutter?.close();
      disk?.unmount();
    },
  };
  return inScene(options, async (scene) => {
    for (let count = 0; count < 3; count += 1) await scene.product.start();
    await scene.detected();
    const resumeMs: number[] = [];
    for (let restart = 0; restart < form.restarts; restart += 1) {
      await scene.release(restart);
      await sleep(1_000 + draw(seed, 'restart', restart) * 4_000);
      resumeMs.push(await crash(scene));
      say(`restart ${restart + 1}: resumed after ${resumeMs.at(-1)} ms`);
    }
    await scene.release(waves - 2);
    if (cutter) await cut(cutter, form.cutMs, say);
    await scene.release(waves - 1);
    const full = disk ? await fillUp(scene, disk, form.fullMs, say) : 'not tried: mounting is not permitted';
    await scene.detected();
    await scene.settled(form.calmMs);
    const codes = await scene.product.stopAll();
    const { figures } = await scene.judge();
    figures.resumeMs = { p50: percentile(resumeMs, 0.5), max: Math.max(...resumeMs) };
    figures.cutCommits = cutter?.cutCommits ?? 0;
    figures.cutAnswers = cutter?.cuts ?? 0;
    figures.diskFull = full;
    if (Math.max(...resumeMs) > resumeLimitMs)
      figures.broken.push(`resumed after ${Math.max(...resumeMs)} ms, ${resumeLimitMs} are allowed`);
    if (codes.length !== 3 || codes.some((code) => code !== 0))
      figures.broken.push(`three processes were started; at the end: ${codes.join(', ')}`);
    if (!figures.cutCommits) figures.void = 'no COMMIT lost its answer';
    if (figures.actions < 0.9 * actions) figures.void = `${figures.actions} of ${actions} actions ended`;
    return figures;
  });
}

/**
 * Crashes the server.
 *
 * @returns how long after it answered again a signal was polled anew and, where actions were open, an attempt was noted, ms
 */
async function crash(scene: Scene): Promise<number> {
  await scene.postgres.restartImmediately();
  const answered = performance.now();
  let before = { now: '', attempt: 0 };
  await until('the ledger can be read', async () => {
    const [row] = await scene.askLedger<{ now: string; attempt: string }>(
      'select clock_timestamp()::text as now, (select coalesce(max(id), 0) from readback.attempts) as attempt',
    );
    if (row) before = { now: row.now, attempt: Number(row.attempt) };
    return row !== undefined;
  });
  const works = async () => {
    const [row] = await scene.askLedger<{ polled: boolean; acted: boolean }>(`
      select
        exists (select from readback.polls where started_at > '${before.now}' and finished_at is not null) as polled,
        (select coalesce(max(id), 0) from readback.attempts) > ${before.attempt}
          or not exists (select from readback.actions where due_at is not null) as acted`);
    return row?.polled === true && row.acted;
  };
  await until('it works again', works, { everyMs: 50, deadlineMs: 120_000 });
  return Math.round(performance.now() - answered);
}

async function cut(cutter: Cutter, forMs: number, say: (line: string) => void): Promise<void> {
  // Most statements are transactions of their own: their answer is lost after their commit too.
  cutter.share = { commits: 0.3, others: 0.005 };
  await until('a COMMIT has lost its answer', () => cutter.cutCommits > 0, { deadlineMs: 60_000 }).catch(
    () => {},
  );
  await sleep(forMs);
  cutter.share = { commits: 0, others: 0 };
  say(`${cutter.cuts} answers lost, ${cutter.cutCommits} of them to a COMMIT`);
}

/** Leaves no space for the ledger for a while. @returns what the product said of it, by level of the log */
async function fillUp(
  scene: Scene,
  disk: SmallDisk,
  forMs: number,
  say: (line: string) => void,
): Promise<Record<string, number>> {
  const since = new Date();
  disk.fill();
  await sleep(forMs);
  disk.free();
  const said: Record<string, number> = {};
  for await (const { time, error, level } of scene.product.logLines()) {
    if (new Date(time) >= since && /space|extend/.test(String(error))) said[level] = (said[level] ?? 0) + 1;
  }
  say(`disk full for ${forMs / 1000} s: ${JSON.stringify(said)}`);
  return said;
}
