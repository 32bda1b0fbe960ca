import type { Signal } from '../../src/config/model.ts';
import { loadProject } from '../../src/config/project.ts';
import { runPoll } from '../../src/engine/polls.ts';
import { openLog } from '../../src/log.ts';
import { Openings } from '../../src/openings.ts';
import { Pipeline } from '../../src/pipeline.ts';
import { openDatabase } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import type { RunningOptions } from './engine.ts';
import { serve } from './serve.ts';

/** Polls and plans, but sends nothing: what it plans is left for workers. */
serve<RunningOptions>(async ({ root, url, env }) => {
  const project = await loadProject(root, { env });
  const log = openLog('warn');
  const database = await openDatabase({ url, root, log });
  await migrate(database.pool);
  const openings = new Openings(project, database.pool);
  const pipeline = new Pipeline(project, database.pool, openings, log);
  return {
    steps: {
      poll: async (): Promise<number> => {
        const signal = project.signals.get('churn_risk') as Signal;
        const { entered } = await runPoll(
          pipeline,
          database.pool,
          signal,
          { cause: 'manual', scheduledFor: null, only: [], signal: new AbortController().signal },
          log,
        );
        return entered;
      },
    },
    close: async () => {
      await openings.close();
      await database.close();
    },
  };
});
