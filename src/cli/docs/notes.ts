import { readFileSync } from 'node:fs';

/** What a folder's README says by hand: its title, what stands before the first heading, and the sections after. */
export interface Notes {
  title: string;
  intro: string;
  sections: string;
}

/**
 * @param folder such as `connectors/zendesk`; the package has the READMEs of `src`
 */
export function readNotes(folder: string): Notes {
  const text = readFileSync(new URL(`../../../src/${folder}/README.md`, import.meta.url), 'utf8');
  const [, title = '', rest = ''] = /^# (.+)\n([\s\S]*)$/.exec(text) ?? [];
  const start = rest.search(/^## /m);
  const at = start < 0 ? rest.length : start;
  return { title, intro: rest.slice(0, at).trim(), sections: rest.slice(at).trim() };
}
