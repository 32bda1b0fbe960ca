import { compareTicks } from '../clock-and-cron/agreement.ts';
import { patterns } from '../clock-and-cron/forms.ts';
import { setClocksAndSee } from '../clock-and-cron/scene.ts';
import { changesOf } from '../clock-and-cron/transitions.ts';
import { judgeClocks } from '../clock-and-cron/verdict.ts';
import type { Drill } from '../drill.ts';
import { noFigures } from '../figures.ts';
import { shuffled } from '../random.ts';

const years = { from: 2015, to: 2035 };

export const drill: Drill = {
  name: 'clock-and-cron',
  summary: `ticks around every change of every zone's clock, ${years.from} to ${years.to}, and schedulers whose clocks are set`,
  // Pairs of a change and a form: more than there are.
  actions: 100_000,

  async run({ seed, actions, short }, say) {
    const all = changesOf(years.from, years.to);
    const zoned = all.reduce((sum, { alike }) => sum + 1 + alike, 0);
    const changes = shuffled(all, seed, 'changes').slice(0, Math.ceil(actions / patterns.length));
    say(
      `${all.length} different changes of the clock (${zoned} by zone), ${changes.length} looked at, ${patterns.length} forms`,
    );
    const agreement = compareTicks(changes, (done) => say(`${done} of ${changes.length}`));
    for (const line of [...agreement.forward, ...agreement.backward].slice(0, 20)) say(line);

    const happened = await setClocksAndSee(seed, short ? 2 : 10);
    const verdict = judgeClocks(happened);
    say(JSON.stringify(verdict));
    const broken: string[] = [];
    if (agreement.forward.length > 0)
      broken.push(`${agreement.forward.length} pairs tick differently forward`);
    if (agreement.backward.length > 0)
      broken.push(`${agreement.backward.length} pairs tick differently backward`);
    if (verdict.firedTwice > 0) broken.push(`${verdict.firedTwice} ticks fired twice`);
    if (verdict.lostSilently > 0) broken.push(`${verdict.lostSilently} ticks were lost without a word`);
    if (verdict.caughtUp !== 1) broken.push(`${verdict.caughtUp} catch-ups after a pause of 3 intervals`);
    if (verdict.toldMissed === 0) broken.push('nobody told that the clock leapt');
    if (verdict.toldSetBack === 0) broken.push('nobody told that the clock was set back');
    return {
      ...noFigures('clock-and-cron', seed),
      void: agreement.ticks === 0 || verdict.polled === 0 ? 'nothing ticked' : null,
      actions: agreement.pairs,
      changes: changes.length,
      changesByZone: zoned,
      forms: patterns.length,
      ticks: agreement.ticks,
      forwardWrong: agreement.forward.length,
      backwardWrong: agreement.backward.length,
      schedulers: verdict,
      broken,
    };
  },
};
