import { setTimeout as sleep } from 'node:timers/promises';
import type { Drill, DrillOptions } from '../drill.ts';
import type { Figures } from '../figures.ts';
import type { Process } from '../fleet/product.ts';
import { inScene, type Scene } from '../fleet/scene.ts';
import { until } from '../fleet/wait.ts';
import { draw } from '../random.ts';
import { fourDesks } from '../workload/desks.ts';

export const drill: Drill = {
  name: 'zombie',
  summary: 'SIGSTOP of a worker until its lanes are taken, then SIGCONT: what it still does must not count',
  actions: 4_000,
  run,
};

const forms = { long: { rounds: 12, calmMs: 15 * 60_000 }, short: { rounds: 1, calmMs: 60_000 } };

/** Five missed beats take 10 s; the rest is patience with a busy machine. */
const takenOverMs = 60_000;

async function run({ seed, actions, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const form = short ? forms.short : forms.long;
  // Slow desks and a tight limit: the worker is stopped between an intent and its call, not only between turns.
  const desks = fourDesks(actions).map((desk) => ({
    ...desk,
    lanes: 2,
    limit: { requests: 1_200, perMs: 60_000 },
    standin: { delayMs: 150 },
  }));
  const options = { drill: drill.name, seed, desks, waves: form.rounds, say };
  return inScene(options, async (scene) => {
    await scene.product.start();
    await scene.detected();
    let takeovers = 0;
    for (let round = 0; round < form.rounds; round += 1) {
      const victim = [...scene.product.processes][0] as Process;
      await victim.ready;
      await scene.release(round);
      await scene.detected();
      await sleep(300 + draw(seed, 'stop', round) * 1_500);
      victim.signal('SIGSTOP');
      const heir = await scene.product.start();
      await heir.ready;
      // Without a lane of the zombie's this round showed nothing; the sum is judged.
      await until('a lane is taken over', async () => (await takenFrom(scene, victim)) > 0, {
        deadlineMs: takenOverMs,
      }).catch(() => {});
      // The heir begins to work on what it took before the zombie comes back.
      await sleep(draw(seed, 'wake', round) * 6_000);
      takeovers += await takenFrom(scene, victim);
      victim.signal('SIGCONT');
      await sleep(4_000);
      await victim.stop();
      say(`round ${round + 1}: ${takeovers} lanes taken over so far`);
    }
    await scene.settled(form.calmMs);
    await scene.product.stopAll();
    const { figures } = await scene.judge();
    figures.takeovers = takeovers;
    figures.fencedTurns = await countLines(scene, (line) =>
      String(line.error).includes('another worker holds'),
    );
    figures.staleWrites = await staleWrites(scene);
    if (figures.staleWrites !== 0) figures.broken.push(`${figures.staleWrites} writes with an old epoch`);
    if (takeovers === 0) figures.void = 'no lane was taken over';
    return figures;
  });
}

function takenFrom(scene: Scene, victim: Process): Promise<number> {
  return countLines(
    scene,
    ({ msg, from }) => msg === 'lane taken over' && String(from).startsWith(`pid ${victim.pid}`),
  );
}

async function countLines(scene: Scene, is: (line: Record<string, unknown>) => boolean): Promise<number> {
  let count = 0;
  for await (const line of scene.product.logLines()) if (is(line)) count += 1;
  return count;
}

/** Attempts noted under an epoch after one was noted under a newer epoch of the same lane. No command shows epochs. */
async function staleWrites(scene: Scene): Promise<number> {
  const [row] = await scene.askLedger<{ stale: string }>(`
    select count(*) filter (where epoch < newest) as stale
    from (
      select attempts.epoch, max(attempts.epoch) over (partition by destination, lane order by attempts.id) as newest
      from readback.attempts
      join readback.actions on attempts.id = any(actions.attempt_ids)
      where attempts.epoch is not null
    ) as noted`);
  return Number(row?.stale);
}
