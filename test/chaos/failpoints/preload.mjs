// Loaded into the product by `NODE_OPTIONS=--import=…/preload.mjs`, which needs nothing of the product's own code: it
// looks at what the product says to Postgres and over HTTP, and makes of each statement and each request a point, before
// and after. A cell is a point × when × action × class. A cell is armed by a file of its name, holding the number of the
// pass that it waits for; the process that can delete the file has hit it, writes that down, and acts. So each cell is
// hit once, whatever the number of processes. Plain JavaScript, because the product is started without a compiler.
//
// FAILPOINTS names a folder: classes.json says which names and addresses belong to a class, armed/ holds the armed cells,
// hits.jsonl and passed.jsonl are written. Without FAILPOINTS nothing is changed.
import { appendFileSync, existsSync, readFileSync, unlinkSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import pg from 'pg';

const folder = process.env.FAILPOINTS;
if (folder) {
  const passing = createPassing(folder);
  wrapPostgres(pg.Client.prototype, passing);
  wrapFetch(passing);
  wrapRequests(http, passing);
  wrapRequests(https, passing);
  // What was imported by name is replaced too.
  syncBuiltinESMExports();
}

const actions = ['kill', 'throw', 'stop'];

/** @returns what decides, at a point, whether something happens there */
function createPassing(folder) {
  /** @type {Record<string, { names: string[], url: string, write: string }>} */
  const classes = JSON.parse(readFileSync(join(folder, 'classes.json'), 'utf8'));
  const classOfName = new Map(
    Object.entries(classes).flatMap(([name, { names }]) => names.map((one) => [one, name])),
  );
  const passes = new Map();
  const seen = new Set();
  const note = (file, line) => appendFileSync(join(folder, file), `${JSON.stringify(line)}\n`);

  return {
    /** The class that a statement's values belong to. */
    classOf: (values) => {
      for (const value of values ?? []) {
        const found = typeof value === 'string' ? classOfName.get(value) : undefined;
        if (found) return found;
      }
      return undefined;
    },
    /** The class and the point of a request; undefined for one that goes elsewhere. */
    request: (method, url) => {
      for (const [name, { url: base, write }] of Object.entries(classes)) {
        if (!url.startsWith(`${base}/`)) continue;
        const writes = `${method} ${url.slice(base.length)}`.startsWith(write);
        return { point: writes ? 'http_write' : 'http_read', of: name };
      }
      return undefined;
    },
    /**
     * Throws when the cell that is armed here says so; kills or stops the process when it says that.
     * @returns whether it was stopped, and is continued now
     */
    pass: (point, when, of) => {
      let stopped = false;
      if (!of) return stopped;
      const place = `${point}-${when}`;
      if (!seen.has(`${place} ${of}`)) {
        seen.add(`${place} ${of}`);
        note('passed.jsonl', { point, when, of, pid: process.pid });
      }
      for (const action of actions) {
        const cell = `${place}-${action}-${of}`;
        if (!claim(join(folder, 'armed', cell), cell, passes)) continue;
        note('hits.jsonl', { cell, pid: process.pid, at: Date.now() });
        act(action, cell);
        stopped = action === 'stop';
      }
      return stopped;
    },
  };
}

/** Whether this process, at this pass, is the one that hits the cell. */
function claim(file, cell, passes) {
  if (!existsSync(file)) return false;
  try {
    const pass = (passes.get(cell) ?? 0) + 1;
    passes.set(cell, pass);
    if (pass < Number(readFileSync(file, 'utf8'))) return false;
    unlinkSync(file);
    return true;
  } catch {
    // Another process was quicker.
    return false;
  }
}

function act(action, cell) {
  if (action === 'throw') throw Object.assign(new Error(`failpoint ${cell}`), { code: 'ECONNRESET' });
  process.kill(process.pid, action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  // The signal may reach another thread first: this one goes no further until it has.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
}

/** Statements are known by the name under which they are prepared; begin and commit by what they enclose. */
function wrapPostgres(prototype, passing) {
  const original = prototype.query;
  /** What each connection said last, and for which class. */
  const contexts = new WeakMap();

  prototype.query = function query(config, values, callback) {
    const context = contexts.get(this) ?? {};
    contexts.set(this, context);
    const point = pointOf(config, context, passing);
    if (!point) return original.call(this, config, values, callback);
    const { of } = context;
    const done = typeof values === 'function' ? values : callback;
    try {
      passing.pass(point, 'before', of);
    } catch (error) {
      if (!done) return Promise.reject(error);
      process.nextTick(done, error);
      return undefined;
    }
    if (!done) {
      return original.call(this, config, values).then((result) => {
        passing.pass(point, 'after', of);
        return result;
      });
    }
    const wrapped = (error, result) => {
      if (error) return done(error);
      try {
        passing.pass(point, 'after', of);
      } catch (failure) {
        return done(failure);
      }
      return done(null, result);
    };
    return typeof values === 'function'
      ? original.call(this, config, wrapped)
      : original.call(this, config, values, wrapped);
  };
}

function pointOf(config, context, passing) {
  if (config === 'begin') return context.polling ? 'begin_poll' : undefined;
  if (config === 'commit') {
    const point = commits[context.last];
    context.last = undefined;
    return point;
  }
  const name = typeof config?.name === 'string' ? config.name.replace(/_[0-9a-f]{12}$/, '') : '';
  if (name === '' || name === config.name) return undefined;
  context.of = passing.classOf(config.values) ?? (opens.has(name) ? undefined : context.of);
  if (name === 'start_poll' || name === 'finish_poll') context.polling = name === 'start_poll';
  // A poll that supersedes may undo a play too; it stays a poll.
  if (Object.hasOwn(commits, name) && !['find_moves', 'find_told_moves'].includes(context.last)) context.last = name;
  return name;
}

/** Statements that tell what a transaction is about, and the point that its commit is. */
const commits = { find_moves: 'commit_poll', find_told_moves: 'commit_poll', claim_tick: 'commit_tick', plan_undo: 'commit_undo' };
/** Statements about all classes at once: what the connection did before says nothing about them. */
const opens = new Set([
  ...['lanes_due', 'ticks_open', 'has_grown', 'analyze_ledger', 'now', 'open_work', 'find_migrations', 'applied_migrations'],
  ...['beat', 'forget_silent', 'leave'],
]);

function wrapFetch(passing) {
  const original = globalThis.fetch;
  globalThis.fetch = async function fetch(input, init) {
    const url = String(input instanceof Request ? input.url : input);
    const method = init?.method ?? (input instanceof Request ? input.method : 'GET');
    const asked = passing.request(method.toUpperCase(), url);
    if (!asked) return original(input, init);
    // Whoever wakes up sees first what is due by now, such as the call's own deadline. A stop between the last look at
    // the clock and the socket is microseconds wide, and no client can close it.
    if (passing.pass(asked.point, 'before', asked.of)) await new Promise((resolve) => setTimeout(resolve, 1));
    const response = await original(input, init);
    passing.pass(asked.point, 'after', asked.of);
    return response;
  };
}

/** For clients that use node:http, such as node-fetch. */
function wrapRequests(module, passing) {
  const original = module.request;
  module.request = function request(...given) {
    const sent = original.apply(this, given);
    const base = `${sent.protocol}//${sent.getHeader('host')}`;
    const asked = passing.request(sent.method, `${base}${sent.path}`);
    if (!asked) return sent;
    try {
      passing.pass(asked.point, 'before', asked.of);
    } catch (error) {
      sent.destroy(error);
      return sent;
    }
    const emit = sent.emit;
    sent.emit = function emitUnlessFailed(event, ...values) {
      if (event !== 'response') return emit.call(this, event, ...values);
      try {
        passing.pass(asked.point, 'after', asked.of);
      } catch (error) {
        sent.destroy(error);
        return true;
      }
      return emit.call(this, event, ...values);
    };
    return sent;
  };
}
