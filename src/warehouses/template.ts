import { readFileSync } from 'node:fs';

/** Named pieces of SQL with `{{placeholder}}` marks. */
export type Templates = ReadonlyMap<string, string>;

/**
 * Reads the `.sql` files of a warehouse's folder. A file holds named templates, each under a `-- name:` line, or is one
 * template named like the file; comment lines before the SQL are for its readers and are left out.
 *
 * @param folder `import.meta.url` of a module in the folder
 */
export function loadTemplates(folder: string, files: readonly string[]): Templates {
  const templates = new Map<string, string>();
  for (const file of files) {
    const text = readFileSync(new URL(`./${file}.sql`, folder), 'utf8');
    const [head = '', ...named] = text.split(/^-- name: *(\w+) *\n/m);
    if (named.length === 0) templates.set(file, withoutComments(head));
    for (let at = 0; at + 1 < named.length; at += 2) {
      templates.set(named[at] as string, withoutComments(named[at + 1] as string));
    }
  }
  return templates;
}

function withoutComments(text: string): string {
  return text.replaceAll(/^--.*\n/gm, '').trim();
}

/**
 * Fills a template. Values are put in as they are and never searched for placeholders themselves, so SQL of a user that
 * contains `{{` stays what it is.
 */
export function render(templates: Templates, name: string, values: Readonly<Record<string, string>>): string {
  const template = templates.get(name);
  if (template === undefined) throw new Error(`no SQL template ${name}`);
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, key: string) => {
    const value = values[key];
    if (value === undefined) throw new Error(`SQL template ${name} needs ${key}`);
    return value;
  });
}
