import { z } from 'zod';
import type { CallOptions } from '../connector.ts';
import { inHalves } from '../halves.ts';
import { asked, type Problem } from '../rest.ts';
import type { Salesforce } from './client.ts';
import { valueIn } from './record.ts';

export interface Found {
  id: string;
  record: Record<string, unknown>;
}
export type Looked = Found | 'absent' | 'several' | { problem: Problem };

/** How records of one object are looked for: by one column, or by several together. */
export interface Question {
  object: string;
  /** The columns that identify a record, and the values looked for, in their order. */
  by: string[];
  /** The columns to be told. */
  columns: string[];
}

/** Salesforce refuses addresses beyond 16,384 bytes (documented for 414), headers included. */
const longestQuery = 12_000;

/**
 * Looks records up by SOQL, which reads the store itself and not the search index. Salesforce finds text without regard to
 * case: of two records that differ in no more than that, the exact one counts. Record ids are looked for in their long form.
 */
export async function find(
  salesforce: Salesforce,
  question: Question,
  wanted: string[][],
  call: CallOptions,
): Promise<(values: string[]) => Looked> {
  const found = new Map<string, Looked>();
  const distinct = new Map(wanted.map((values) => [exactly(values), values]));
  for (const chunk of chunks(question.by, [...distinct.values()]))
    await inHalves(chunk, async (values) => {
      const answer = await asked(() => salesforce.query(soqlOf(question, values), call));
      if (!answer.ok && isAboutOne(answer.problem) && values.length > 1) return values;
      const told = answer.ok ? tell(question.by, answer.body) : () => ({ problem: answer.problem });
      for (const each of values) found.set(exactly(each), told(each));
      return [];
    });
  return (values) => found.get(exactly(values)) ?? 'absent';
}

/** A text that is no record id makes Salesforce refuse the query that compares an id with it, and all others in it. */
function isAboutOne(problem: Problem): boolean {
  return (
    problem.kind === 'rejected' && ['INVALID_QUERY_FILTER_OPERATOR', 'MALFORMED_ID'].includes(problem.code)
  );
}

const page = z.object({ done: z.boolean(), records: z.array(z.looseObject({ Id: z.string() })) });

function tell(by: string[], body: unknown): (values: string[]) => Looked {
  const { done, records } = page.safeParse(body).data ?? { done: false, records: [] };
  const silence: Looked = done
    ? 'absent'
    : { problem: { kind: 'ambiguous', reason: 'Salesforce gave an incomplete answer to a query' } };
  const exact = new Map<string, Looked>();
  const alike = new Map<string, Looked>();
  for (const record of records) {
    const held = by.map((column) => String(valueIn(record, column)));
    const looked = { id: record.Id, record };
    exact.set(exactly(held), exact.has(exactly(held)) ? 'several' : looked);
    alike.set(folded(held), alike.has(folded(held)) ? 'several' : looked);
  }
  return (values) => exact.get(exactly(values)) ?? alike.get(folded(values)) ?? silence;
}

function exactly(values: string[]): string {
  return JSON.stringify(values);
}

/** The form in which two values can at most be meant to be the same. */
export function folded(values: string[]): string {
  return exactly(values.map((value) => value.trim().toLowerCase()));
}

function soqlOf({ object, by, columns }: Question, values: string[][]): string {
  const told = new Map(['Id', ...by, ...columns].map((column) => [column.toLowerCase(), column]));
  return `SELECT ${[...told.values()].join(', ')} FROM ${object} WHERE ${conditionOf(by, values)}`;
}

function conditionOf(by: string[], values: string[][]): string {
  if (by.length === 1) return `${by[0]} IN (${values.map(([value = '']) => literal(value)).join(',')})`;
  return values
    .map((each) => `(${by.map((column, at) => `${column} = ${literal(each[at] ?? '')}`).join(' AND ')})`)
    .join(' OR ');
}

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A SOQL string. */
export function literal(text: string): string {
  return `'${text.replace(/['"\\]/g, '\\$&').replace(/[\n\r\t]/g, (sign) => escapes[sign] ?? '')}'`;
}

function chunks(by: string[], wanted: string[][]): string[][][] {
  const result: string[][][] = [];
  let room = 0;
  for (const values of wanted) {
    const size = encodeURIComponent(`${conditionOf(by, [values])} OR `).length;
    if (size > room) {
      result.push([]);
      room = longestQuery;
    }
    result.at(-1)?.push(values);
    room -= size;
  }
  return result;
}
