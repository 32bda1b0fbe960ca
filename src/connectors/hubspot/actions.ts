import type { Action } from './action.ts';
import { archiving } from './archive.ts';
import { associate } from './associate.ts';
import { creating } from './create.ts';
import { dissociate } from './dissociate.ts';
import { lists } from './lists.ts';
import { upserts } from './upserts.ts';

export const actions: Readonly<Record<string, Action>> = {
  ...upserts,
  ...creating,
  ...lists,
  ...archiving,
  associate,
  dissociate,
};
