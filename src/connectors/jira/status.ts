import { canonical } from './normal.ts';

/** A status of a workflow, as an issue or a transition shows it. */
export interface Status {
  name?: string;
  statusCategory?: { key?: string };
}

/** A status that an issue is to get. */
export interface Goal {
  words: string;
  isMet(status: Status | undefined): boolean;
}

/** The status of this name. */
export function statusNamed(name: string): Goal {
  const wanted = canonical('status', name);
  return { words: name, isMet: (status) => canonical('status', status?.name) === wanted };
}

/** Any status that its workflow counts as done: the key of that category is the same in every project and language. */
export const closed: Goal = {
  words: 'a status of the category done',
  isMet: (status) => status?.statusCategory?.key === 'done',
};
