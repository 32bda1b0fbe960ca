import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Drill, DrillOptions } from '../drill.ts';
import type { Figures } from '../figures.ts';
import { startChild } from '../fleet/children.ts';
import { type Herd, KillStorm } from '../fleet/kills.ts';
import { Process } from '../fleet/product.ts';
import { inScene, type Scene } from '../fleet/scene.ts';
import { until } from '../fleet/wait.ts';
import type { Ledger, LedgerAction } from '../oracle/ledger.ts';
import { fourDesks } from '../workload/desks.ts';

export const drill: Drill = {
  name: 'baseline-kill-storm',
  summary: 'the kill storm against pg-boss and fetch, as people usually write it: fails, and is meant to',
  actions: 2_000,
  run,
};

const main = fileURLToPath(new URL('../baseline/deliver.ts', import.meta.url));
const forms = {
  long: { kills: 100, waves: 10, forgottenMs: 180_000 },
  short: { kills: 5, waves: 4, forgottenMs: 30_000 },
};

async function run({ seed, actions, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const form = short ? forms.short : forms.long;
  const desks = fourDesks(actions, 0.25);
  const options = { drill: drill.name, seed, desks, networkFaults: 0.05, waves: form.waves, say };
  return inScene(options, async (scene) => {
    const herd = new BaselineHerd(scene, Object.fromEntries(desks.map(({ name, kind }) => [name, kind])));
    try {
      return await storm(scene, herd, { seed, form, say });
    } finally {
      herd.kill();
    }
  });
}

type Storm = Pick<DrillOptions, 'seed'> & { form: (typeof forms)['long' | 'short']; say(line: string): void };

async function storm(scene: Scene, herd: BaselineHerd, { seed, form, say }: Storm): Promise<Figures> {
  await scene.askLedger('create schema if not exists pgboss');
  for (let count = 0; count < 4; count += 1) await herd.start();
  const kills = new KillStorm(herd, seed);
  kills.start({ least: 500, most: 3_000 });
  for (let wave = 0; wave < form.waves; wave += 1) {
    await scene.release(wave);
    const enough = (form.kills * (wave + 1)) / form.waves;
    await until('it was killed often enough', () => kills.kills.length >= enough, {
      deadlineMs: 20 * 60_000,
    });
    say(`wave ${wave + 1}: ${kills.kills.length} kills`);
  }
  await kills.stop();
  await scene.calm();
  // Nobody else writes `deliveries`; what is still queued after this time has been forgotten.
  await until('nothing is queued', async () => (await queued(scene)) === 0, {
    deadlineMs: form.forgottenMs,
  }).catch(() => {});
  await sleep(2_000);
  const { figures } = await scene.judge({ read: () => readDeliveries(scene) });
  figures.kills = kills.kills.length;
  return figures;
}

class BaselineHerd implements Herd {
  readonly processes = new Set<Process>();
  readonly #env: NodeJS.ProcessEnv;

  constructor(scene: Scene, kinds: Record<string, string>) {
    const desks = Object.entries(kinds).map(([name, kind]) => [
      name,
      { kind, url: scene.network.urls[name] },
    ]);
    this.#env = {
      PATH: process.env.PATH,
      DESKS: JSON.stringify(Object.fromEntries(desks)),
      WAREHOUSE_URL: scene.postgres.url('warehouse'),
      LEDGER_URL: scene.postgres.url('ledger'),
      DESK_TOKEN: 'token-of-the-drill',
    };
  }

  async start(): Promise<Process> {
    const child = startChild([process.execPath, '--import', 'tsx', main], {
      env: this.#env,
      stdio: 'ignore',
    });
    const started = new Process(child, 'all');
    this.processes.add(started);
    child.once('exit', () => this.processes.delete(started));
    return started;
  }

  /** They would go on for ever: nothing tells them to end. */
  kill(): void {
    for (const one of this.processes) one.signal('SIGKILL');
  }
}

async function queued(scene: Scene): Promise<number> {
  const [row] = await scene.askLedger<{ count: string }>(
    "select count(*) from deliveries where state = 'queued'",
  );
  return Number(row?.count);
}

/** Its table in the words of the ledger. What it does not know to be done it believes to be open. */
async function readDeliveries(scene: Scene): Promise<Ledger> {
  const actions = await scene.askLedger<LedgerAction>(`
    select
      entity || ' ' || version as key, desk || '_due' as signal, desk as destination, entity, version as sequence,
      'entered' as transition, state, null as reason, attempts, null as external_id,
      to_json(detected_at)#>>'{}' as detected_at, to_json(detected_at)#>>'{}' as sent_at, null as accepted_at,
      to_json(settled_at)#>>'{}' as settled_at
    from deliveries`);
  return { actions, pairs: [] };
}
