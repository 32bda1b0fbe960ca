// Loaded into a process of the product by `--import`: its clock on the wall is ahead by as many milliseconds as CLOCK_FILE
// says at the moment. Timers go on measuring the time that passes, as when a real clock is set.
import { readFileSync } from 'node:fs';

const Real = Date;
let ahead = 0;
const read = () => {
  ahead = Number(readFileSync(process.env.CLOCK_FILE, 'utf8')) || 0;
};
read();
setInterval(read, 20).unref();

globalThis.Date = class Date extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + ahead);
    else super(...given);
  }

  static now() {
    return Real.now() + ahead;
  }
};
