import type { CallOptions, Outcome, WriteItem } from '../connector.ts';
import { asked } from '../rest.ts';
import { inRounds } from '../rounds.ts';
import { isForbidden, type Zendesk } from './client.ts';
import { followJob, type JobResult } from './jobs.ts';
import { folded, type Named, named, profileRecord, upsertOne } from './profiles.ts';
import { isWritten, notNamed, type Settle, writeTogether } from './together.ts';

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
    await writeTogether(
      inRounds(users, ({ identity }) => folded(identity.value)),
      outcomes,
      {
        job: (round, settle) => this.#byJob(round, options, call, settle),
        alone: ({ item }) =>
          upsertOne(this.#zendesk, 'user', profileRecord('user', item.fields, options), call),
      },
    );
    return outcomes;
  }

  async #byJob(
    users: Named[],
    options: Record<string, unknown>,
    call: CallOptions,
    settle: Settle<Named>,
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
    return notNamed(end, users.length, left, settle);
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
