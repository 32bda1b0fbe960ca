import type { SandboxRecord } from '../connector.ts';
import type { Records } from '../records.ts';
import type { SandboxAnswer } from '../sandbox.ts';
import { fault, isDeleted, type Org } from './sandbox-records.ts';

const statement = /^SELECT ([\w.,\s]+) FROM (\w+) WHERE (.+)$/is;
const text = /'((?:[^'\\]|\\.)*)'/s;
const oneOf = new RegExp(`^(\\w+) IN \\((${text.source}(?:,\\s*${text.source})*)\\)$`, 'is');
const equals = new RegExp(`(\\w+) = ${text.source}`, 'gis');

/**
 * As much of SOQL as is needed to find records: `WHERE x IN (…)`, or comparisons joined by AND in brackets joined by OR.
 * Text is compared as by a field that is unique with regard to case.
 */
export function query(org: Org, records: Records, soql: string, stale: boolean): SandboxAnswer {
  const [, columns = '', object = '', where = ''] = statement.exec(soql) ?? [];
  const type = org.objects.get(object);
  if (!type) return fault(400, 'INVALID_TYPE', `sObject type '${object}' is not supported.`);
  const names = columns.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !known(org, object, name));
  if (unknown !== undefined)
    return fault(400, 'INVALID_FIELD', `No such column '${unknown}' on entity '${object}'.`);
  const alternatives = alternativesIn(where);
  if (!alternatives) return fault(400, 'MALFORMED_QUERY', 'unexpected token');
  for (const alternative of alternatives) {
    const text = malformed(org, object, alternative);
    if (text !== undefined) return fault(400, 'INVALID_QUERY_FILTER_OPERATOR', `invalid ID field: ${text}`);
  }
  const found = new Map<string, SandboxRecord>();
  for (const alternative of alternatives)
    for (const record of matching(records, object, alternative)) found.set(record.id, record);
  const shown = [...found.values()].flatMap((record) => {
    const version = stale ? records.before(object, record.id) : record;
    return version && !isDeleted(version) ? [present(org, records, version, names)] : [];
  });
  // Without ORDER BY Salesforce promises no order.
  return { status: 200, body: { totalSize: shown.length, done: true, records: shown.reverse() } };
}

function known(org: Org, object: string, name: string): boolean {
  const [first = '', second] = name.split('.');
  if (second === undefined) return org.field(object, first) !== undefined;
  const target = org.field(object, `${first}Id`)?.referenceTo[0];
  return target !== undefined && known(org, target, second);
}

/** An id that is compared with something that is none. */
function malformed(org: Org, object: string, alternative: Map<string, string>): string | undefined {
  for (const [column, sought] of alternative)
    if (
      ['id', 'reference'].includes(org.field(object, column)?.type ?? '') &&
      !/^\w{15}(\w{3})?$/.test(sought)
    )
      return sought;
  return undefined;
}

function alternativesIn(where: string): Map<string, string>[] | undefined {
  const [, column, list] = oneOf.exec(where) ?? [];
  if (column !== undefined && list !== undefined)
    return [...list.matchAll(new RegExp(text, 'gs'))].map(
      ([, value = '']) => new Map([[column, unescaped(value)]]),
    );
  const alternatives = where
    .split(' OR ')
    .map(
      (part) =>
        new Map([...part.matchAll(equals)].map(([, name = '', value = '']) => [name, unescaped(value)])),
    );
  return alternatives.every(({ size }) => size > 0) ? alternatives : undefined;
}

function unescaped(value: string): string {
  return value.replace(/\\(.)/gs, (_, sign) => ({ n: '\n', r: '\r', t: '\t' })[sign as string] ?? sign);
}

function matching(records: Records, object: string, wanted: Map<string, string>): SandboxRecord[] {
  const [[name, value] = ['', '']] = [...wanted].reverse();
  return records
    .find(object, name, value)
    .filter(({ fields }) => [...wanted].every(([column, sought]) => fields[column] === sought));
}

function present(
  org: Org,
  records: Records,
  { id, type, fields }: SandboxRecord,
  names: string[],
): Record<string, unknown> {
  const shown: Record<string, unknown> = {
    attributes: { type, url: `/services/data/v62.0/sobjects/${type}/${id}` },
  };
  for (const name of names) {
    const [first = '', second] = name.split('.');
    const target = org.field(type, `${first}Id`)?.referenceTo[0] ?? '';
    const linked = records.get(target, String(fields[`${first}Id`]));
    if (second === undefined) shown[first] = fields[first] ?? null;
    else shown[first] = linked ? present(org, records, linked, [second]) : null;
  }
  return shown;
}
