import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DeskKind } from '../workload/workload.ts';

/** A desk as the project is to know it. */
export type ProjectDesk = {
  name: string;
  kind: DeskKind;
  /** base address of its stand-in, or of the network before it */
  url: string;
  /** what the connection may send; a stand-in with the same limit judges it */
  limit: { requests: number; perMs: number };
  lanes: number;
  ttl: string;
  /** how long a write may take to show; must be longer than the stand-in's latest late write */
  lag: string;
  timeout: string;
  maxAttempts: number;
  /** of a later step of a play: where it begins, what comes right before it, whether its failure undoes the rest */
  step?: PlayStep;
};

/** A step of a play whose first step is the desk `of`; its destination has its desk's name. */
export type PlayStep = { of: string; after: string; compensates?: boolean };

export const deskDefaults = {
  limit: { requests: 60_000, perMs: 60_000 },
  lanes: 4,
  ttl: '6h',
  lag: '5s',
  timeout: '3s',
  maxAttempts: 20,
} as const;

/** Writes the project folder as a user would, one signal and one destination for each desk. */
export async function writeProject(folder: string, desks: readonly ProjectDesk[]): Promise<void> {
  const files: Record<string, string> = { 'readback.yml': rootFile(desks) };
  for (const desk of desks) {
    if (!desk.step) files[`signals/${desk.name}_due.sql`] = signalFile(desk);
    files[`destinations/${desk.name}.yaml`] = destinationFile(desk);
  }
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
}

const rootFile = (desks: readonly ProjectDesk[]): string => `project: chaos
warehouses:
  analytics: { type: postgres, url: env:WAREHOUSE_URL }
connections:
${desks.map(connection).join('')}`;

const connection = (desk: ProjectDesk): string => `  ${desk.name}:
${settings[desk.kind](desk.url)}
    rate_limit: { requests: ${desk.limit.requests}, per: ${desk.limit.perMs}ms }
    timeout: ${desk.timeout}
`;

const settings: Record<DeskKind, (url: string) => string> = {
  keyed: (url) => `    connector: zendesk
    subdomain: chaos
    email: agent@chaos.example
    api_token: env:DESK_TOKEN
    base_url: ${url}`,
  upsert: (url) => `    connector: hubspot
    access_token: env:DESK_TOKEN
    base_url: ${url}`,
  marker: (url) => `    connector: slack
    bot_token: env:DESK_TOKEN
    base_url: ${url}/api/`,
  plain: (url) => `    connector: http
    base_url: ${url}
    bearer_token: env:DESK_TOKEN
    actions:
      create_order:
        fields: { reference: /reference, note: /note }
        write:
          path: /orders
          body: { reference: "{reference}", note: "{note}" }
          success: { status: 201 }
          id: /id
          transient: { status: 503 }
        read:
          by_id: { path: "/orders/{id}" }
          find: { path: /orders, query: { reference: "{reference}" }, items: /orders, id: /id, match: [note] }`,
};

const signalFile = (desk: ProjectDesk): string => `/*
key: entity
every: 1s
on: [${transitionsOf(desk.kind)}]
${desk.kind === 'upsert' ? 'track: [version, token]\n' : ''}observed_at: updated_at
backfill: all
*/
select entity, version, token, channel, updated_at from accounts where desk = '${desk.name}'
`;

const destinationFile = (desk: ProjectDesk): string => `connection: ${desk.name}
signals: [${desk.step?.of ?? desk.name}_due]
on: [${desk.step ? 'entered' : transitionsOf(desk.kind)}]
${playKeys(desk)}lanes: ${desk.lanes}
ttl: ${desk.ttl}
max_attempts: ${desk.maxAttempts}
verify: { lag: ${desk.lag} }
${actions[desk.kind](wordsOf(desk))}`;

function playKeys({ step }: ProjectDesk): string {
  if (!step) return '';
  return `after: ${step.after}\n${step.compensates ? 'on_failure: compensate\n' : ''}`;
}

const transitionsOf = (kind: DeskKind): string => (kind === 'upsert' ? 'entered, changed' : 'entered');

/** What every payload carries, so that a stand-in can say what it holds without knowing the product. */
const words = '{{ entity }} v{{ version }} {{ token }}';

/** A later step also names the record of the one before it. */
function wordsOf({ step }: ProjectDesk): string {
  return step ? `${words} ref({{ results.${step.after}.id }})` : words;
}

const actions: Record<DeskKind, (words: string) => string> = {
  keyed: (words) => `action: create_ticket
fields:
  subject: "${words}"
  body: "Made by a drill."
`,
  upsert: (words) => `action: upsert_contact
fields:
  email: "{{ entity }}@chaos.example"
  firstname: "${words}"
`,
  marker: (words) => `action: post_message
fields:
  channel: "{{ channel }}"
  text: "${words}"
`,
  plain: (words) => `action: create_order
fields:
  reference: "{{ entity }}"
  note: "${words}"
`,
};
