import { LRUCache } from 'lru-cache';
import { splitList } from '../canonical.ts';
import type { CallOptions, Fields, Outcome } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import type { Refused } from '../rest.ts';
import { type Linear, type Node, nodesOf } from './client.ts';
import { isId } from './identity.ts';
import { priorities } from './normal.ts';

/** What an account calls its things: names to the things of that name. */
const kinds = {
  teams: { list: 'teams', name: 'key' },
  states: { list: 'workflowStates', name: 'name' },
  labels: { list: 'issueLabels', name: 'name' },
  emails: { list: 'users', name: 'email' },
  projects: { list: 'projects', name: 'name' },
  issues: { list: 'issues', name: 'id' },
} as const;
type Kind = keyof typeof kinds;
interface Thing extends Node {
  team?: Node | null;
}

/** The fields that an id can stand in, in place of a name. */
const references = ['team', 'state', 'labels', 'assignee', 'project'];

/** The fields that hold ids: what is read back must then be the id too. Kept with the action, so without values. */
export function idsAmong(fields: Fields): Record<string, string> {
  const byId = references.filter((field) => splitList(fields[field] ?? '').some(isId));
  return byId.length === 0 ? {} : { ids: byId.join(',') };
}

/**
 * Turns names into the ids that Linear wants, with one request for a whole batch. What was found is kept for five
 * minutes; what was not is asked for again.
 */
export class Names {
  readonly #linear: Linear;
  readonly #known = new LRUCache<string, Thing[]>({ max: 5_000, ttl: 5 * 60_000 });

  constructor(linear: Linear) {
    this.#linear = linear;
  }

  /** Learns all names in these fields, and the teams of these issues. */
  async learn(
    items: readonly { fields: Fields; issueId?: string }[],
    call: CallOptions,
  ): Promise<{ ok: true } | Refused> {
    const wanted = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, new Set<string>()])) as Record<
      Kind,
      Set<string>
    >;
    for (const { fields, issueId } of items)
      for (const [kind, name] of namesIn(fields, issueId))
        if (!this.#known.has(`${kind}/${name}`)) wanted[kind].add(name);
    const lists = Object.entries(wanted).map(([kind, names]) => [kind, [...names]] as const);
    if (lists.every(([, names]) => names.length === 0)) return { ok: true };
    const answer = await this.#linear.ask('Names', Object.fromEntries(lists), call);
    if (!answer.ok) return answer;
    for (const kind of Object.keys(kinds) as Kind[]) {
      const nodes = nodesOf<Thing & Record<string, unknown>>(answer.data, kinds[kind].list);
      if (!nodes) return this.#linear.unreadable(`an answer without ${kinds[kind].list}`);
      const found = new Map<string, Thing[]>();
      for (const node of nodes) {
        const name = spelt(kind, String(node[kinds[kind].name]));
        found.set(name, [...(found.get(name) ?? []), node]);
      }
      for (const [name, things] of found) this.#known.set(`${kind}/${name}`, things);
    }
    return { ok: true };
  }

  /** The input of a create or update, or the refusal of a name nobody has. */
  input(fields: Fields, issueId?: string): { input: Record<string, unknown> } | Outcome {
    const { team, state, labels, assignee, project, priority, due_date, ...rest } = fields;
    const input: Record<string, unknown> = { ...rest };
    try {
      const teamId = issueId === undefined ? this.#one('teams', team ?? '') : this.#teamOf(issueId);
      if (issueId === undefined) input.teamId = teamId;
      else if (teamId === undefined && (state ?? labels) !== undefined)
        throw new Unnamed(`there is no issue ${issueId}`);
      if (state !== undefined) input.stateId = this.#one('states', state, teamId);
      if (labels !== undefined)
        input.labelIds = splitList(labels).map((label) => this.#one('labels', label, teamId));
      if (assignee !== undefined)
        input.assigneeId = assignee.trim() === '' ? null : this.#one('emails', assignee);
      if (project !== undefined)
        input.projectId = project.trim() === '' ? null : this.#one('projects', project);
      if (due_date !== undefined) input.dueDate = due_date.trim() === '' ? null : due_date.trim();
      if (priority !== undefined) input.priority = numberOf(priority);
    } catch (error) {
      if (error instanceof Unnamed) return rejected('unknown_name', error.message);
      throw error;
    }
    return { input };
  }

  #teamOf(issueId: string): string | undefined {
    return this.#known.get(`issues/${issueId}`)?.[0]?.team?.id;
  }

  /** The id behind a name. States and labels of another team do not count; a label of no team is everyone's. */
  #one(kind: Kind, written: string, teamId?: string): string {
    const text = written.trim();
    if (isId(text)) return text;
    const known = this.#known.get(`${kind}/${spelt(kind, text)}`) ?? [];
    const inTeam = known.filter(({ team }) => team?.id === teamId);
    const fits = kind === 'states' || kind === 'labels' ? inTeam : known;
    const things = fits.length > 0 || kind !== 'labels' ? fits : known.filter(({ team }) => !team);
    const [thing] = things;
    if (things.length === 1 && thing) return thing.id;
    const what = {
      teams: 'team',
      states: 'state',
      labels: 'label',
      emails: 'member',
      projects: 'project',
      issues: 'issue',
    };
    throw new Unnamed(
      thing
        ? `${things.length} ${kind} are called ${text}; write the id of one`
        : `no ${what[kind]} is called ${text || 'nothing'}${kind === 'states' || kind === 'labels' ? " in the issue's team" : ''}`,
    );
  }
}

class Unnamed extends Error {}

function* namesIn(fields: Fields, issueId: string | undefined): Generator<[Kind, string]> {
  const { team, state, labels, assignee, project } = fields;
  const written: [Kind, string][] = [
    ['teams', team ?? ''],
    ['states', state ?? ''],
    ...splitList(labels ?? '').map((label) => ['labels', label] as [Kind, string]),
    ['emails', assignee ?? ''],
    ['projects', project ?? ''],
  ];
  for (const [kind, text] of written) if (text.trim() !== '' && !isId(text)) yield [kind, spelt(kind, text)];
  // The team decides what a name of a state or label means.
  if (issueId !== undefined && (state !== undefined || labels !== undefined)) yield ['issues', issueId];
}

/** Keys of teams are capitals, addresses are lower case; all else is as it is written. */
function spelt(kind: Kind, text: string): string {
  if (kind === 'teams') return text.trim().toUpperCase();
  return kind === 'emails' ? text.trim().toLowerCase() : text.trim();
}

function numberOf(priority: string): number {
  const text = priority.trim().toLowerCase();
  const known = /^[0-4]$/.test(text) ? Number(text) : priorities.indexOf(text);
  if (known < 0)
    throw new Unnamed(`no priority is called ${text || 'nothing'}; write ${priorities.join(', ')}`);
  return known;
}
