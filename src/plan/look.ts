import type { Project, Signal } from '../config/model.ts';
import { inOrder } from '../config/play.ts';
import type { MessageRow } from '../emit/message.ts';
import { type Parent, readParents } from '../ledger/lane.ts';
import { batchesOf } from '../ledger/wave.ts';
import type { Openings } from '../openings.ts';
import { type PreviewedEntity, previewMessages } from '../preview.ts';
import type { Queryable } from '../store/queries.ts';
import { type PlannedAction, planned, type Rehearsed } from './action.ts';
import { type Asked, askDestination } from './ask.ts';
import { type Begun, decide } from './decide.ts';
import { type Uses, usesOf } from './uses.ts';

/** Messages rendered at a time; what is kept of them are digests, not rows. */
const renderedAtOnce = 500;

interface LookOptions {
  signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

/** A message with its actions. */
interface Message {
  draft: MessageRow;
  actions: Rehearsed[];
}

/** Renders what was planned, and asks the destinations about what would be sent. */
export async function lookAt(
  project: Project,
  signal: Signal,
  ledger: Queryable,
  openings: Openings,
  actions: readonly Rehearsed[],
  { signal: abort, onProgress }: LookOptions,
): Promise<PlannedAction[]> {
  const looked = new Map<string, PlannedAction>();
  const asked = new Map<string, Asked[]>();
  const judge = judgeOf(project);
  for (const batch of batchesOf(messagesOf(project, signal, actions), renderedAtOnce)) {
    const drafts = batch.map(({ draft }) => draft);
    const previewed = await previewMessages(project, signal, (name) => openings.warehouse(name), drafts);
    const rendered = new Map(previewed.map((one) => [one.entity, one]));
    const parents = await parentsOf(project, ledger, batch);
    for (const message of batch)
      for (const decided of judge(message, rendered.get(message.draft.entity), parents)) {
        if ('intent' in decided) pushTo(asked, decided.action.destination, decided);
        else looked.set(decided.key, decided.is);
      }
  }
  let done = looked.size;
  onProgress(done, actions.length);
  for (const [name, items] of asked) {
    const onAnswered = (more: number) => {
      done += more;
      onProgress(done, actions.length);
    };
    const answers = await askDestination(project, openings, name, items, { abort, onAnswered });
    for (const [key, answer] of answers) looked.set(key, answer);
  }
  return actions.flatMap(({ key }) => looked.get(key) ?? []);
}

/** Decides on the actions of a message one after the other, in the order of its play. */
function judgeOf(project: Project) {
  const uses = new Map<string, Uses>();
  const usesFor = (name: string): Uses => {
    const known = uses.get(name) ?? usesOf(project.destinations.get(name));
    uses.set(name, known);
    return known;
  };
  return ({ actions }: Message, previewed: PreviewedEntity | undefined, parents: Map<string, Parent>) => {
    const begun = new Map<string, Begun>();
    return actions.map((action): Asked | { key: string; is: PlannedAction } => {
      const { destination: name, key } = action;
      const preview = previewed?.actions.find(({ destination }) => destination === name);
      if (!preview) throw new Error(`${name} is not among the subscribers of ${action.signal}`);
      const decided = decide(project, action, preview, {
        begun,
        uses: usesFor(name),
        parent: parents.get(key),
      });
      begun.set(name, 'effect' in decided ? decided.effect : 'asked');
      return 'effect' in decided ? { key, is: planned(action, decided) } : { action, ...decided };
    });
  };
}

/** What the ledger knows of the records that these actions work on, by action. */
async function parentsOf(
  project: Project,
  ledger: Queryable,
  batch: readonly Message[],
): Promise<Map<string, Parent>> {
  const followers = new Map<string, Rehearsed[]>();
  for (const action of batch.flatMap(({ actions }) => actions)) {
    const follows = project.destinations.get(action.destination)?.follows;
    if (follows !== undefined) pushTo(followers, follows, action);
  }
  const found = [...followers].map(([follows, own]) => readParents(ledger, follows, own));
  return new Map((await Promise.all(found)).flatMap((parents) => [...parents]));
}

function messagesOf(project: Project, signal: Signal, actions: readonly Rehearsed[]): Message[] {
  const { name, version, severity } = signal;
  const order = inOrder(project.destinations);
  const messages = new Map<string, Rehearsed[]>();
  for (const action of actions) pushTo(messages, action.message, action);
  return [...messages.values()].map((own) => {
    const { message, entity, sequence, transition, observed_at, detected_at } = own[0] as Rehearsed;
    const row = { entity, sequence, transition, observed_at, detected_at };
    own.sort((a, b) => order.indexOf(a.destination) - order.indexOf(b.destination));
    return { draft: { id: message, signal: name, version, severity, ...row }, actions: own };
  });
}

function pushTo<Value>(lists: Map<string, Value[]>, name: string, value: Value): void {
  const list = lists.get(name);
  if (list) list.push(value);
  else lists.set(name, [value]);
}
