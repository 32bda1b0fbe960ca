import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { type Figures, holds, noFigures } from '../figures.ts';
import { type Case, callsPerAction, type Finding, judges, makeCase } from '../oracle/judge.ts';
import { isOpen, type Ledger, readLedger } from '../oracle/ledger.ts';
import { playJudges } from '../oracle/play.ts';
import { readTruth } from '../oracle/truth.ts';
import { Network } from '../proxy/child.ts';
import { Standins } from '../standins/child.ts';
import type { DeskSettings } from '../standins/config.ts';
import { type Desk, Workload } from '../workload/workload.ts';
import { copyProduct } from './copy.ts';
import { Postgres } from './postgres.ts';
import { Product } from './product.ts';
import { deskDefaults, type ProjectDesk, writeProject } from './project.ts';
import { until } from './wait.ts';

/** A desk of a drill: what happens there, how the project treats it, how its stand-in behaves. */
export type SceneDesk = Desk &
  Partial<Omit<ProjectDesk, 'name' | 'kind' | 'url'>> & { standin?: DeskSettings };

export type SceneOptions = {
  drill: string;
  seed: number;
  desks: readonly SceneDesk[];
  waves: number;
  /** Share of HTTP exchanges that meet a fault of the network, on top of those of the desks. */
  networkFaults?: number;
  /** Folder for the tables of the ledger, instead of among the server's files. */
  ledgerFolder?: (folder: string) => string | undefined;
  /** Puts something between product and ledger: gives its port for the server's. */
  betweenLedger?: (port: number) => Promise<number>;
  /** Called when nothing of the scene runs any more, before its folder goes. */
  stopped?: () => void;
  say(line: string): void;
  /** more for the environment of the product's processes */
  env?: Record<string, string>;
};

type JudgeOptions = {
  /** the ledger of another product than ours */
  read?: () => Promise<Ledger>;
  /** desks whose actions need not have ended */
  mayBeOpen?: readonly string[];
};

/** Does a drill's work in a scene of its own. What is left of it stays on disk only when the figures do not hold. */
export async function inScene(
  options: SceneOptions,
  work: (scene: Scene) => Promise<Figures>,
): Promise<Figures> {
  const scene = await Scene.open(options);
  let keep = true;
  try {
    const figures = await work(scene);
    keep = !holds(figures);
    return figures;
  } finally {
    await scene.close({ keep });
  }
}

/** Everything of one drill: its Postgres, warehouse, stand-ins, project and product. */
export class Scene {
  readonly folder: string;
  readonly postgres: Postgres;
  readonly workload: Workload;
  readonly product: Product;
  readonly standins: Standins;
  readonly network: Network;
  readonly #options: SceneOptions;
  readonly #warehouse: pg.Pool;
  readonly #ledger: pg.Pool;
  /** When each wave was in the warehouse, by its clock, which is the ledger's too. */
  readonly releasedAt: Date[] = [];

  private constructor(
    options: SceneOptions,
    parts: Pick<Scene, 'folder' | 'postgres' | 'standins' | 'network' | 'product'>,
    databases: { warehouse: pg.Pool; ledger: pg.Pool },
  ) {
    this.#options = options;
    this.folder = parts.folder;
    this.postgres = parts.postgres;
    this.standins = parts.standins;
    this.network = parts.network;
    this.product = parts.product;
    this.#warehouse = databases.warehouse;
    this.#ledger = databases.ledger;
    this.workload = new Workload(options.seed, options.desks, options.waves);
  }

  static async open(options: SceneOptions): Promise<Scene> {
    const { drill, seed, desks } = options;
    const folder = await mkdtemp(join(tmpdir(), `readback-${drill}-${seed}-`));
    const postgres = await Postgres.start(join(folder, 'postgres'));
    const warehouse = await postgres.create('warehouse');
    const ledger = await postgres.create('ledger', options.ledgerFolder?.(folder));
    await Workload.prepare(warehouse);
    const standins = await Standins.start(join(folder, 'standins.json'), {
      seed,
      truth: join(folder, 'truth.jsonl'),
      desks: desks.map(({ name, kind, limit, standin }) => ({
        name,
        kind,
        ...(limit ? { limit } : {}),
        ...standin,
      })),
    });
    const share = options.networkFaults ?? 0;
    const network = await Network.start(join(folder, 'network.json'), {
      seed,
      routes: desks.map(({ name }) => ({ name, to: standins.ports[name] ?? 0, faults: { share } })),
    });
    const project = join(folder, 'project');
    await mkdir(project);
    await writeProject(
      project,
      desks.map((desk) => ({ ...deskDefaults, ...desk, url: network.urls[desk.name] ?? '' })),
    );
    const ledgerPort = (await options.betweenLedger?.(postgres.port)) ?? postgres.port;
    const env = {
      READBACK_DATABASE_URL: postgres.url('ledger', ledgerPort),
      WAREHOUSE_URL: postgres.url('warehouse'),
      DESK_TOKEN: 'token-of-the-drill',
      ...options.env,
    };
    const product = new Product(project, env, await copyProduct(join(folder, 'product')));
    // A file of ours that the product refuses would look like lost actions.
    await product.run('validate', '--offline');
    options.say(`in ${folder}`);
    return new Scene(options, { folder, postgres, standins, network, product }, { warehouse, ledger });
  }

  /** Commits the next wave to the warehouse. */
  async release(wave: number): Promise<void> {
    await this.workload.release(this.#warehouse, wave);
    const { rows } = await this.#warehouse.query<{ now: Date }>('select clock_timestamp() as now');
    this.releasedAt[wave] = rows[0]?.now ?? new Date();
  }

  /** Waits until each signal has been polled, from begin to end, since the last release (or at all). */
  async detected(deadlineMs = 120_000): Promise<void> {
    const { desks } = this.#options;
    await until(
      'every signal is polled after the release',
      async () => {
        const { rows } = await this.#ledger.query<{ polled: string }>(
          `select count(distinct signal) as polled from readback.polls
          where started_at > $1 and state in ('done', 'baseline')`,
          [this.releasedAt.at(-1) ?? new Date(0)],
        );
        return Number(rows[0]?.polled) === desks.filter(({ step }) => !step).length;
      },
      { deadlineMs },
    );
  }

  /** How many actions have ended, and how many have not. For waiting only: the judge asks the command line. */
  async progress(): Promise<{ ended: number; open: number }> {
    const { rows } = await this.#ledger.query<{ ended: string; open: string }>(
      'select count(settled_at) as ended, count(*) - count(settled_at) as open from readback.actions',
    );
    return { ended: Number(rows[0]?.ended ?? 0), open: Number(rows[0]?.open ?? 0) };
  }

  /** Waits until nothing is open any more; false when the deadline passes first. */
  async settled(deadlineMs: number): Promise<boolean> {
    let told = performance.now();
    const nothingOpen = async () => {
      const { ended, open } = await this.progress();
      if (performance.now() - told > 10_000) {
        told = performance.now();
        this.#options.say(`settling: ${ended} ended, ${open} open`);
      }
      return open === 0;
    };
    return until('nothing is open', nothingOpen, { deadlineMs, everyMs: 500 }).then(
      () => true,
      () => false,
    );
  }

  /** From now on every desk and the network are honest. */
  async calm(): Promise<void> {
    for (const { name } of this.#options.desks) {
      await this.standins.change(name, { faults: null });
      await this.network.change(name, { faults: null });
    }
  }

  /** How often each kind of fault has happened so far, over all desks and the network. */
  async faultKinds(): Promise<Record<string, number>> {
    const kinds: Record<string, number> = {};
    const all = [...Object.values(await this.standins.stats()), ...Object.values(await this.network.stats())];
    for (const { faults } of all) {
      for (const [kind, count] of Object.entries(faults)) kinds[kind] = (kinds[kind] ?? 0) + count;
    }
    return kinds;
  }

  /** Every row of a query on the ledger's own tables, for figures that no command shows. */
  async askLedger<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
    return (await this.#ledger.query<Row>(sql)).rows;
  }

  /** Compares expected, truth and ledger. The findings go to `findings.jsonl`, the first of each kind are said. */
  async judge({
    read = () => readLedger(this.product, this.folder),
    mayBeOpen = [],
  }: JudgeOptions = {}): Promise<{ figures: Figures; it: Case }> {
    const { drill, seed, desks, say } = this.#options;
    await this.standins.flush();
    const truth = await readTruth(join(this.folder, 'truth.jsonl'));
    const ledger = await read();
    const it = makeCase(this.workload.expected, desks, ledger, truth);
    const figures = noFigures(drill, seed);
    const findings: (Finding & { figure: string })[] = [];
    for (const [figure, judge] of Object.entries(judges)) {
      const found = [...judge(it), ...(playJudges[figure]?.(it) ?? [])];
      figures[figure as keyof typeof judges] = found.length;
      findings.push(...found.map((one) => ({ figure, ...one })));
      for (const one of found.slice(0, 3)) say(`${figure}: ${one.desk} ${one.entity}: ${one.seen}`);
    }
    await writeFile(
      join(this.folder, 'findings.jsonl'),
      findings.map((one) => `${JSON.stringify(one)}\n`).join(''),
    );
    const open = ledger.actions.filter(isOpen);
    figures.actions = ledger.actions.length - open.length;
    figures.callsPerAction = callsPerAction(it);
    const kinds = await this.faultKinds();
    figures.faults = Object.values(kinds).reduce((sum, count) => sum + count, 0);
    figures.faultKinds = kinds;
    figures.states = counted(ledger.actions.map((action) => action.state));
    const forgotten = open.filter(({ destination }) => !mayBeOpen.includes(destination)).length;
    if (forgotten > 0) figures.broken.push(`${forgotten} actions are still open`);
    return { figures, it };
  }

  /** @param keep leaves truth, logs and findings where they are */
  async close({ keep }: { keep: boolean }): Promise<void> {
    await this.product.stopAll();
    await this.network.stop();
    await this.standins.stop();
    await Promise.all([this.#warehouse.end(), this.#ledger.end()]);
    await this.postgres.stop();
    this.#options.stopped?.();
    if (keep) this.#options.say(`kept for a look: ${this.folder}`);
    else await rm(this.folder, { recursive: true, force: true });
  }
}

function counted(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
