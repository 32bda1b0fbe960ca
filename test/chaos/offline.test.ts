import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drill as badInput } from './drills/bad-input.ts';
import { drill as clockAndCron } from './drills/clock-and-cron.ts';
import { holds } from './figures.ts';

// Both drive the compiled product: `npm test` builds it first. They wait more than they work, so they go together.
describe('drills without a destination, in short', { concurrency: true }, () => {
  for (const { drill, actions } of [
    { drill: badInput, actions: 75 },
    { drill: clockAndCron, actions: 420 },
  ])
    it(drill.summary, async () => {
      const said: string[] = [];
      const figures = await drill.run({ seed: 7, actions, short: true }, (line) => said.push(line));
      assert.ok(holds(figures), [...figures.broken, figures.void, ...said].join('\n'));
    });
});
