import type { z } from 'zod';
import { isOpen, type SchemaKey, schemaKeys } from '../../config/keys.ts';
import { isSecret, schemaAt } from '../../config/shape.ts';

/** A Markdown table of a schema's keys; empty when it has none. */
export function keyTable(head: string, schema: z.ZodType, other?: string): string {
  const rows = schemaKeys(schema).map((key) => row(key, schema));
  if (isOpen(schema)) rows.push(`| ${other ?? 'any other'} | | |`);
  if (rows.length === 0) return '';
  return [`| ${head} | default | |`, '|---|---|---|', ...rows, ''].join('\n');
}

function row({ name, required, fallback, description }: SchemaKey, schema: z.ZodType): string {
  const secret = isSecret(schemaAt(schema, name.split('.'))) ? ' A secret: `env:NAME` or `file:PATH`.' : '';
  const about = `${description ?? ''}${secret}`.replaceAll('|', '\\|');
  return `| \`${name}\` | ${required ? 'required' : shown(fallback)} | ${about} |`;
}

function shown(fallback: unknown): string {
  if (fallback === undefined) return '';
  if (typeof fallback === 'object' && Object.keys(fallback ?? {}).length === 0) return '';
  return `\`${typeof fallback === 'string' ? fallback : JSON.stringify(fallback)}\``;
}
