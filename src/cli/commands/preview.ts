import { type PreviewedAction, type PreviewedEntity, previewCost, previewSignal } from '../../preview.ts';
import { costText } from '../cost.ts';
import { exitCodes } from '../exit.ts';
import type { OutputOptions } from '../options.ts';
import { print, remark, toJsonText } from '../output.ts';
import { requireSignal } from '../selection.ts';
import { openProject, remarkProblems } from '../session.ts';
import { openWarehouses } from '../warehouses.ts';

interface Options extends OutputOptions {
  limit: number;
  only?: string[];
}

/** `readback preview <signal>`: rows, messages and rendered actions. Sends nothing and needs no ledger. */
export async function execute(options: Options, [name]: [string]): Promise<number> {
  const project = await openProject(options);
  remarkProblems(project);
  const signal = requireSignal(project, name);
  const warehouses = openWarehouses(project);
  const open = (name: string) => warehouses.warehouse(name);
  try {
    const only = options.only ?? [];
    const bytes = await previewCost(signal, open);
    if (bytes !== undefined) remark(costText(signal.name, bytes));
    const entities = await previewSignal(project, signal, open, { limit: options.limit, only });
    if (options.output === 'json') print(toJsonText(entities));
    else print(entities.map(toText).join('\n') || 'no rows meet the signal now');
    for (const key of only.filter((key) => !entities.some((one) => one.entity === key))) {
      remark(`${key} is not in the signal now: its row is not returned, or \`when\` does not hold`);
    }
    const refused = entities.some((one) => one.actions.some((action) => action.outcome === 'refused'));
    return refused ? exitCodes.attention : exitCodes.done;
  } finally {
    await warehouses.close();
  }
}

function toText({ entity, row, message, actions }: PreviewedEntity): string {
  const fields = Object.entries(row).map(([name, value]) => `  ${name}: ${shown(value)}`);
  return [
    entity,
    ...fields,
    '  message:',
    indent(JSON.stringify(message, null, 2), 4),
    ...actions.flatMap(actionText),
    '',
  ].join('\n');
}

function actionText(action: PreviewedAction): string[] {
  const head = `  → ${action.destination} (${action.action}): ${action.outcome}`;
  if (action.outcome !== 'send') return [`${head}: ${action.reason}`];
  return [
    head,
    ...Object.entries(action.fields).map(([name, value]) => `      ${name}: ${indentRest(value, 8)}`),
  ];
}

/** Exact numbers print themselves; JSON columns are the only plain objects. */
function shown(value: unknown): string {
  const text = String(value);
  return text === '[object Object]' || Array.isArray(value) ? JSON.stringify(value) : text;
}

function indent(text: string, by: number): string {
  return text.replace(/^/gm, ' '.repeat(by));
}

function indentRest(text: string, by: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(by)}`);
}
