import type { SandboxRecord } from '../connector.ts';
import { type SandboxAnswer, SandboxPart } from '../sandbox.ts';
import { isId, idOf as uuidOf } from './identity.ts';

type Data = Record<string, unknown>;
interface Thing {
  id: string;
  team?: { id: string };
  [field: string]: unknown;
}

/** Two teams with the same states, as most workspaces have. */
const teams: Thing[] = ['ENG', 'ONB'].map((key) => ({ id: uuidOf(`team ${key}`), key }));
const stateTypes = {
  Backlog: 'backlog',
  Todo: 'unstarted',
  'In Progress': 'started',
  Done: 'completed',
  Canceled: 'canceled',
  "Won't do": 'canceled',
};
const states: Thing[] = teams.flatMap((team) =>
  Object.entries(stateTypes).map(([name, type], position) => ({
    id: uuidOf(`state ${name} of ${team.key}`),
    ...{ name, type, position, team: { id: team.id } },
  })),
);
const labels: Thing[] = [
  ...['Bug', 'onboarding', 'restock'].map((name) => ({ id: uuidOf(`label ${name}`), name })),
  ...teams.map((team) => ({ id: uuidOf(`label of ${team.key}`), name: 'urgent', team: { id: team.id } })),
];
const users: Thing[] = ['ada@sandbox.example', 'grace@sandbox.example'].map((email) => ({
  id: uuidOf(email),
  email,
}));
const projects: Thing[] = ['Launch', 'Twin', 'Twin'].map((name, n) => ({ id: uuidOf(`project ${n}`), name }));
const everything = [...teams, ...states, ...labels, ...users, ...projects];

/** What the sandbox does with issues and comments: the state behind the operations. */
export class Workspace extends SandboxPart {
  /** What was once refused stays refused, however it is sent again. */
  readonly #refused = new Set<string>();

  names(wanted: Record<string, string[]>): Data {
    const pick = (things: Thing[], field: string, names: string[] = []) => ({
      nodes: things.filter((thing) => names.includes(String(thing[field]))),
    });
    const issues = (wanted.issues ?? []).flatMap((id) => this.records.get('issues', id) ?? []);
    return {
      teams: pick(teams, 'key', wanted.teams),
      workflowStates: pick(states, 'name', wanted.states),
      issueLabels: pick(labels, 'name', wanted.labels),
      users: pick(users, 'email', wanted.emails),
      projects: pick(projects, 'name', wanted.projects),
      issues: { nodes: issues.map(({ id, fields }) => ({ id, team: { id: fields.teamId } })) },
    };
  }

  /** All or none, as one transaction. */
  createIssues(inputs: Thing[]): Data | SandboxAnswer {
    if (inputs.length > 50) return invalid('issues must contain no more than 50 elements');
    for (const input of inputs) {
      const refused = this.#refusal(input, input) ?? this.#conflict('issues', 'Issue', input);
      if (refused) return refused;
      if (!input.title || !input.teamId) return invalid('title and teamId should not be empty');
    }
    for (const input of inputs) {
      const team = teams.find(({ id }) => id === input.teamId);
      const state = states.find((one) => one.team?.id === team?.id);
      this.#put('issues', input, { stateId: state?.id, priority: 0 });
    }
    return { issueBatchCreate: { success: true, issues: inputs.map(({ id }) => ({ id })) } };
  }

  updateIssue(id: string, input: Data): Data | SandboxAnswer {
    if (!this.records.get('issues', id)) return notFound('Issue');
    const refused = this.#refusal({ ...input, id }, input);
    if (refused) return refused;
    this.#put('issues', { ...input, id }, {});
    return { issueUpdate: { success: true, issue: { id } } };
  }

  /** The issues with the states in which they would be cancelled; the last comes first. */
  cancellation(ids: string[]): Data {
    const nodes = this.#seen('issues', ids, false).map(({ id, fields }) => {
      const inTeam = states.filter(({ team, type }) => team?.id === fields.teamId && type === 'canceled');
      const state = states.find((one) => one.id === fields.stateId);
      return { id, state, team: { id: fields.teamId, states: { nodes: inTeam.toReversed() } } };
    });
    return { issues: { nodes } };
  }

  createComment(input: Thing): Data | SandboxAnswer {
    if (!this.records.get('issues', String(input.issueId))) return notFound('Issue');
    const refused = this.#refusal(input, {}) ?? this.#conflict('comments', 'Comment', input);
    if (refused) return refused;
    this.#put('comments', input, {});
    return { commentCreate: { success: true, comment: { id: input.id } } };
  }

  issues(ids: string[], stale: boolean): Data {
    return { issues: { nodes: this.#seen('issues', ids, stale).map(shown) } };
  }

  comments(ids: string[], stale: boolean): Data {
    const nodes = this.#seen('comments', ids, stale).map(({ id, fields }) => ({ id, body: fields.body }));
    return { comments: { nodes } };
  }

  #seen(type: string, ids: string[], stale: boolean): SandboxRecord[] {
    return ids.flatMap((id) => (stale ? this.records.before(type, id) : this.records.get(type, id)) ?? []);
  }

  /** As the faults let it in. */
  #put(type: string, input: Thing, defaults: Data): void {
    const text = JSON.stringify(input);
    if (this.faults.take('accept_without_write', text)) return;
    const altered = this.faults.take('alter', text) !== undefined;
    const tidied = this.faults.take('normalise', text) !== undefined;
    const fields: Data = { ...defaults, ...input };
    for (const name of ['title', 'description', 'body']) {
      const said = fields[name];
      if (typeof said !== 'string') continue;
      fields[name] = altered ? `${said} (altered)` : tidied ? `${said.trim()}` : said;
    }
    if (altered && input.stateId !== undefined)
      fields.stateId = states.find(({ name }) => name === 'Backlog')?.id;
    if (altered && fields.priority !== undefined) fields.priority = fields.priority === 4 ? 1 : 4;
    if (tidied && Array.isArray(fields.labelIds)) fields.labelIds = fields.labelIds.toReversed();
    this.records.put(type, input.id, fields);
  }

  #refusal(item: Thing, input: Data): SandboxAnswer | undefined {
    if (this.faults.take('reject_item', JSON.stringify(item))) this.#refused.add(item.id);
    if (this.#refused.has(item.id)) return invalid('title is not allowed here');
    for (const [field, value] of Object.entries(input)) {
      if (!field.endsWith('Id') && field !== 'labelIds') continue;
      for (const id of [value].flat())
        if (id !== null && !everything.some((thing) => thing.id === id))
          return notFound(field.replace(/Ids?$/, ''));
    }
    if (input.dueDate && !/^\d{4}-\d\d-\d\d$/.test(String(input.dueDate)))
      return invalid('dueDate must be a valid date');
    return undefined;
  }

  /** The words are those that the live API is reported to use. */
  #conflict(type: string, entity: string, { id }: Thing): SandboxAnswer | undefined {
    if (!isId(id)) return invalid('id must be a UUID');
    if (!this.records.get(type, id)) return undefined;
    return failure(`conflict on insert of ${entity}`, 'INPUT_ERROR', `Entity with id ${id} already exists.`);
  }
}

/** A refusal, under the status that GraphQL answers most of them with. */
export function failure(
  message: string,
  code: string,
  userPresentableMessage: string,
  status = 200,
): SandboxAnswer {
  const extensions = { code, type: code.toLowerCase(), userError: true, userPresentableMessage };
  return { status, body: { data: null, errors: [{ message, extensions }] } };
}

function invalid(words: string): SandboxAnswer {
  return failure('Argument Validation Error', 'INVALID_INPUT', words, 400);
}

function notFound(entity: string): SandboxAnswer {
  return failure(`Entity not found: ${entity}`, 'INPUT_ERROR', `Could not find referenced ${entity}.`);
}

function shown({ id, fields }: SandboxRecord): Data {
  const thing = (value: unknown) => everything.find((one) => one.id === value) ?? null;
  const { title, description, priority, dueDate, labelIds } = fields;
  return {
    ...{ id, title, description: description ?? null, priority, dueDate: dueDate ?? null },
    team: thing(fields.teamId),
    state: thing(fields.stateId),
    assignee: thing(fields.assigneeId),
    project: thing(fields.projectId),
    labels: { nodes: ((labelIds as string[] | undefined) ?? []).map(thing) },
  };
}
