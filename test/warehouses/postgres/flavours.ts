import type { FlavourName } from '../../../src/warehouses/postgres/flavours.ts';
import type { ExamDialect } from '../fixture.ts';
import type { Refusal } from './gate.ts';

/** A flavour as the gate and a real Postgres play it. None of them was called. */
export interface Played {
  /** As the vendor documents it, or its source has it. */
  version: string;
  /** Functions of the flavour that Postgres lacks; a hash is stood in for by another of as many bits. */
  functions: string[];
  refusals: Refusal[];
  dialect: Pick<ExamDialect, 'fingerprint'>;
  /** Types that the flavour does not have, or spells otherwise: values and keys of the exam that name them are left out. */
  lacks: RegExp;
}

/** Each of them alike: an unknown function, an unknown parameter, a word out of place. */
const unknownFunctions = (names: string, say: (name: string) => string): Refusal[] =>
  names.split(' ').map((name) => [new RegExp(`\\b${name}\\(`, 'i'), '42883', say(name)]);
const unknownSettings = (names: string): Refusal[] =>
  names
    .split(' ')
    .map((name) => [
      new RegExp(`set local ${name}\\b`),
      '42704',
      `unrecognized configuration parameter "${name}"`,
    ]);
const unknownWords = (names: string, say: (name: string) => string): Refusal[] =>
  names.split(' ').map((name) => [new RegExp(`\\b${name}\\b`, 'i'), '42601', say(name)]);

const nearWord = (name: string) => `syntax error at or near "${name}"`;

export const played: Record<Exclude<FlavourName, 'postgres'>, Played> = {
  redshift: {
    version:
      'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.12103',
    functions: [
      `strtol(text, int) returns bigint language sql immutable parallel safe as $$ select ('x' || lpad($1, 16, '0'))::bit(64)::bigint $$`,
      `fnv_hash(anyelement) returns bigint language sql immutable parallel safe as $$ select hashtextextended($1::text, 0) $$`,
    ],
    refusals: [
      ...unknownFunctions(
        'hashtextextended concat_ws concat json_array_elements_text unnest',
        (name) => `function ${name}("unknown") does not exist`,
      ),
      ...unknownSettings('jit bytea_output intervalstyle'),
      ...unknownWords('collate row unlogged listen filter', nearWord),
      [/\[\]|\bany\s*\(/i, '0A000', 'arrays are not supported'],
    ],
    dialect: { fingerprint: 'cc1b51d854f459e7' },
    lacks: /json|uuid|inet|bytea|array|interval/,
  },
  cockroach: {
    version: 'CockroachDB CCL v24.2.1 (x86_64-pc-linux-gnu, built 2024/09/02 20:26:28, go1.22.5)',
    functions: [
      `fnv64a(text) returns bigint language sql immutable parallel safe as $$ select hashtextextended($1, 0) $$`,
    ],
    refusals: [
      ...unknownFunctions('hashtextextended pg_cancel_backend', (name) => `unknown function: ${name}()`),
      ...unknownSettings('jit'),
      ...unknownWords(
        'listen create_replication_slot',
        (name) => `at or near "${name.toLowerCase()}": syntax error`,
      ),
    ],
    dialect: { fingerprint: 'd5293dc9754872c2' },
    lacks: /$^/,
  },
  materialize: {
    version: 'PostgreSQL 9.5 on x86_64-unknown-linux-gnu (Materialize v0.130.0)',
    functions: [
      `crc32(text) returns bigint language sql immutable parallel safe as $$ select ('x' || left(md5($1), 8))::bit(32)::bigint $$`,
      `seahash(text) returns numeric language sql immutable parallel safe as $$ select hashtextextended($1, 0)::numeric + 9223372036854775808 $$`,
    ],
    refusals: [
      ...unknownFunctions('hashtextextended', (name) => `function "${name}" does not exist`),
      ...unknownSettings('jit bytea_output datestyle intervalstyle'),
      ...unknownWords('listen collate unlogged', (name) => `Expected a keyword, found identifier "${name}"`),
      [/begin[\s\S]*\bselect\b/, '25000', 'the first query decides what the transaction may read'],
    ],
    dialect: { fingerprint: 'd5293dc9754872c2' },
    lacks: /uuid|inet|array|interval|bytea/,
  },
};
