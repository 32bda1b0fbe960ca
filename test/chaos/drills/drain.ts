import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Drill, DrillOptions } from '../drill.ts';
import type { Figures } from '../figures.ts';
import { copyNextVersion } from '../fleet/copy.ts';
import type { Process } from '../fleet/product.ts';
import { inScene, type Scene } from '../fleet/scene.ts';
import { draw, drawOne } from '../random.ts';
import { fourDesks } from '../workload/desks.ts';

export const drill: Drill = {
  name: 'drain',
  summary:
    'SIGTERM of a random process, 200 times, then a rolling restart to a version with a newer migration',
  actions: 20_000,
  run,
};

const forms = {
  long: { stops: 200, waves: 10, calmMs: 15 * 60_000 },
  short: { stops: 5, waves: 4, calmMs: 60_000 },
};

async function run({ seed, actions, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const form = short ? forms.short : forms.long;
  const options = { drill: drill.name, seed, desks: fourDesks(actions), waves: form.waves, say };
  return inScene(options, async (scene) => {
    await scene.product.start('scheduler');
    for (let worker = 0; worker < 2; worker += 1) await scene.product.start('worker');
    await scene.detected();
    const codes: (number | null)[] = [];
    const each = Math.ceil(form.stops / form.waves);
    for (let wave = 0; wave < form.waves; wave += 1) {
      await scene.release(wave);
      while (codes.length < each * (wave + 1)) codes.push(await stopOne(scene, seed, codes.length));
      const { ended, open } = await scene.progress();
      say(`${codes.length} stops: ${ended} ended, ${open} open`);
      await scene.detected();
    }
    const rolling = await roll(scene, say);
    await scene.settled(form.calmMs);
    const stopped = await scene.product.stopAll();
    const { figures } = await scene.judge();
    figures.stops = codes.length;
    figures.rolling = rolling;
    const bad = [...codes, ...rolling.codes, ...stopped].filter((code) => code !== 0);
    if (bad.length > 0) figures.broken.push(`exit codes other than 0: ${bad.join(', ')}`);
    if (rolling.oldVersion === 0) figures.broken.push('the old version ran on the newer ledger');
    // Nothing was killed and nothing failed, so nothing may be sent twice.
    if ((figures.callsPerAction ?? 0) > 1.15)
      figures.broken.push(`${figures.callsPerAction} calls per action`);
    if (figures.actions < 0.9 * actions) figures.void = `${figures.actions} of ${actions} actions ended`;
    return figures;
  });
}

/** Asks one process to stop at a random moment of its work, and starts another. */
async function stopOne(scene: Scene, seed: number, turn: number): Promise<number | null> {
  const victim = drawOne([...scene.product.processes], seed, 'victim', turn);
  await victim.ready;
  await sleep(draw(seed, 'pause', turn) * 1_500);
  const code = victim.stop();
  const next = await scene.product.start(victim.role);
  await Promise.all([code, next.ready]);
  return code;
}

type Rolling = {
  /** of the old processes when they were asked to stop */
  codes: (number | null)[];
  /** of the old version started after the newer one has migrated: it must refuse */
  oldVersion: number | null;
};

/** One process after the other becomes the next version, while the others work. */
async function roll(scene: Scene, say: (line: string) => void): Promise<Rolling> {
  const main = await copyNextVersion(join(scene.folder, 'next-version'));
  const old = [...scene.product.processes];
  const codes: (number | null)[] = [];
  for (const one of old) {
    scene.product.use(main);
    const next = await scene.product.start(one.role);
    await next.ready;
    codes.push(await endOf(one));
    say(`rolled ${one.role}: ${codes.at(-1)}`);
  }
  scene.product.use();
  const late = await scene.product.start('worker');
  const oldVersion = await late.ended;
  scene.product.use(main);
  return { codes, oldVersion };
}

/** An old process may notice the newer ledger first and end by itself, in order, with 3. */
async function endOf(process: Process): Promise<number | null> {
  if (process.alive) return process.stop();
  const code = await process.ended;
  return code === 3 ? 0 : code;
}
