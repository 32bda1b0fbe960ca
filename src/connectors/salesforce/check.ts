import { z } from 'zod';
import type { CallOptions, Finding } from '../connector.ts';
import { asked, type Problem } from '../rest.ts';
import { target } from './actions.ts';
import type { Salesforce } from './client.ts';
import { memberObject } from './members.ts';

/** What `describe` tells of an object, as far as it decides whether it can be written. */
const description = z.object({
  createable: z.boolean(),
  updateable: z.boolean(),
  fields: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      externalId: z.boolean().default(false),
      unique: z.boolean().default(false),
      createable: z.boolean(),
      updateable: z.boolean(),
    }),
  ),
});
type Description = z.infer<typeof description>;

/** Proves that a session can be had, that the objects can be written, and that their external ids can be relied on. */
export async function check(
  salesforce: Salesforce,
  actions: { action: string; options: Record<string, unknown> }[],
  call: CallOptions,
): Promise<Finding[]> {
  // Any description proves the session; every org has accounts.
  const wanted = new Map([['Account', new Set<string>()]]);
  if (actions.length > 0) wanted.clear();
  for (const { action, options } of actions) {
    const other = String(options.object ?? memberObject);
    const { object, externalId } = target(action, options) ?? { object: other, externalId: undefined };
    const names = wanted.get(object) ?? new Set();
    wanted.set(object, externalId === undefined ? names : names.add(externalId));
  }
  const findings: Finding[] = [];
  for (const [object, externalIds] of wanted) {
    const answer = await asked(() => salesforce.describe(object, call));
    if (!answer.ok && !answer.gone) return [connectionFinding(answer.problem)];
    const described = answer.ok ? description.safeParse(answer.body).data : undefined;
    findings.push(...(described ? objectFindings(object, described, externalIds) : [noObject(object)]));
  }
  return findings;
}

function objectFindings(object: string, described: Description, externalIds: Set<string>): Finding[] {
  const findings: Finding[] = [];
  if (!described.createable || !described.updateable) {
    findings.push({
      problem: `The Salesforce user may not create and edit ${object} records.`,
      hint: `Give its profile or permission set Read, Create and Edit on ${object}, and API Enabled.`,
    });
  }
  for (const name of externalIds) {
    const problem = fieldProblem(object, described, name);
    if (problem !== undefined)
      findings.push({
        problem: `Salesforce: ${object}.${name} ${problem}.`,
        hint:
          `In Setup → Object Manager → ${object === 'Task' ? 'Activity' : object} → Fields & Relationships, make a Text field ` +
          `with the API name ${name}, tick External ID and Unique, and let the user read and edit it.`,
      });
  }
  return findings;
}

function fieldProblem(object: string, { fields }: Description, name: string): string | undefined {
  const field = fields.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (!field) return 'does not exist, or the user may not see it';
  if (!field.externalId) return 'is not an external id, so nothing can be upserted on it';
  // Whether fields of activities can be unique, Salesforce does not document.
  if (!field.unique && object !== 'Task') return 'is not unique, so that one value may mean several records';
  if (!['string', 'email'].includes(field.type)) return `is of type ${field.type}, and must be text`;
  return field.createable && field.updateable ? undefined : 'cannot be written by the user';
}

function noObject(object: string): Finding {
  return {
    problem: `Salesforce has no object ${object}, or the user may not see it.`,
    hint: 'Write its API name, and give the user Read, Create and Edit on it.',
  };
}

function connectionFinding(problem: Problem): Finding {
  return {
    problem: `Salesforce: ${problem.reason}`,
    hint:
      'Check instance_url, client_id and client_secret; the external client app must allow the client credentials flow and ' +
      'run as a user with API Enabled.',
  };
}
