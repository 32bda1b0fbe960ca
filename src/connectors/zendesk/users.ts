import { isOfConnection } from '../calls.ts';
import type { CallOptions, Outcome, Throttled, Unavailable, WriteItem } from '../connector.ts';
import { asked } from '../rest.ts';
import { inRounds } from '../rounds.ts';
import { isForbidden, type Zendesk } from './client.ts';
import { followJob, type JobResult } from './jobs.ts';
import { folded, type Named, named, profileRecord, upsertOne } from './profiles.ts';

/** Writes users: many by a job of Zendesk's, one by one request. */
export class Users {
  readonly #zendesk: Zendesk;
  /** Jobs that import users have to be enabled by Zendesk's support; an account without them says 403. */
  #mayImport = true;

  constructor(zendesk: Zendesk) {
    this.#zendesk = zendesk;
  }

  /** At most 100 items. The same user twice goes in jobs of their own, in order. */
  async upsert(
    options: Record<string, unknown>,
    items: readonly WriteItem[],
    call: CallOptions,
  ): Promise<Map<string, Outcome>> {
    const { named: users, outcomes } = named(items);
    let stopped: Throttled | Unavailable | undefined;
    const settle = ({ item }: Named, outcome: Outcome) => {
      outcomes.set(item.key, outcome);
      if (isOfConnection(outcome)) stopped = outcome;
    };
    const inDoubt = () => [...outcomes.values()].some(({ kind }) => kind === 'ambiguous');
    for (const round of inRounds(users, ({ identity }) => folded(identity.value))) {
      const single = round.length > 1 && !stopped ? await this.#byJob(round, options, call, settle) : round;
      for (const one of single) {
        const record = profileRecord('user', one.item.fields, options);
        settle(one, stopped ?? (await upsertOne(this.#zendesk, 'user', record, call)));
      }
      // What may still land must not land after the next values of the same user.
      if (inDoubt())
        stopped ??= { kind: 'throttled', retryAfterMs: null, reason: 'not sent: the one before is in doubt' };
    }
    return outcomes;
  }

  /** Returns the users whose turn it is to go alone: certainly not written, and not yet told why. */
  async #byJob(
    users: Named[],
    options: Record<string, unknown>,
    call: CallOptions,
    settle: (user: Named, outcome: Outcome) => void,
  ): Promise<Named[]> {
    if (!this.#mayImport) return users;
    // Beginning the job and waiting for it are together what a call may take.
    const deadline = performance.now() + call.timeoutMs;
    const body = { users: users.map(({ item }) => profileRecord('user', item.fields, options)) };
    const begun = await asked(() => this.#zendesk.create('/api/v2/users/create_or_update_many', call, body));
    if (!begun.ok) {
      const { problem } = begun;
      if (isForbidden(problem)) this.#mayImport = false;
      if (problem.kind === 'rejected') return users;
      for (const user of users) settle(user, problem);
      return [];
    }
    const end = await followJob(this.#zendesk, begun.body, call.signal, deadline);
    const ids = await this.#written(end.results, users, call.signal, deadline);
    const left = users.filter((user) => {
      const id = ids?.get(folded(user.identity.value));
      if (id !== undefined) settle(user, { kind: 'applied', id });
      return id === undefined;
    });
    const refusals = end.results.filter((result) => !isWritten(result)).length;
    const allTold = end.complete && end.results.length === users.length;
    // Refusals are named by position alone. Where they are as many as are left, they are those that are left.
    if (allTold && refusals === left.length) return left;
    const reason = end.complete ? 'the job’s answer does not tell of this user' : end.reason;
    const { meanwhile } = end;
    for (const user of left) settle(user, { kind: 'ambiguous', reason, ...(meanwhile && { meanwhile }) });
    return [];
  }

  /** The ids of the users that the job has written, by what identifies them; undefined when that could not be asked. */
  async #written(
    results: JobResult[],
    [first]: Named[],
    signal: AbortSignal,
    deadline: number,
  ): Promise<Map<string, string> | undefined> {
    const field = first?.identity.field ?? 'email';
    const written = results.filter(isWritten);
    const ids = new Map<string, string>();
    const nameless: string[] = [];
    for (const result of written) {
      const name = folded(result[field]);
      if (name === '') nameless.push(String(result.id));
      else ids.set(name, String(result.id));
    }
    if (nameless.length === 0) return ids;
    // Results bear the email where there is one; who is meant by external_id is asked for.
    const call = { signal, timeoutMs: Math.max(1, deadline - performance.now()), beginBy: deadline };
    const shown = await asked(() => this.#zendesk.showProfiles('user', 'ids', nameless, call));
    if (!shown.ok) return undefined;
    for (const profile of shown.profiles) ids.set(folded(profile[field]), String(profile.id));
    return ids;
  }
}

/** "Created" and "Updated"; what failed has an error, and its position in the place of an id. */
function isWritten({ id, status, error, success }: JobResult): boolean {
  return id !== undefined && error === undefined && status !== 'Failed' && success !== false;
}
