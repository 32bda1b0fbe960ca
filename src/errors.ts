/**
 * The closed table of everything Readback can complain about. A code is stable: scripts may match on it, and
 * docs/errors.md lists every one (a test compares the two).
 */
export const errorTable = {
  CONFIG_FILE: { exit: 2, retry: false, summary: 'A project file is missing or cannot be read.' },
  CONFIG_YAML: { exit: 2, retry: false, summary: 'A file is not valid YAML.' },
  CONFIG_KEY: { exit: 2, retry: false, summary: 'A key is unknown here, or a required one is missing.' },
  CONFIG_VALUE: { exit: 2, retry: false, summary: 'A value has the wrong type, form or range.' },
  CONFIG_REFERENCE: { exit: 2, retry: false, summary: 'A name points to something that is not defined.' },
  SECRET_REFERENCE: {
    exit: 2,
    retry: false,
    summary: 'A secret reference cannot be resolved, or a secret is written in the open.',
  },
  SIGNAL_SQL: {
    exit: 2,
    retry: false,
    summary: 'The warehouse refuses the SQL, or a column it needs is not returned.',
  },
  TEMPLATE: {
    exit: 2,
    retry: false,
    summary: 'A template does not parse, or uses a variable nobody provides.',
  },
  SELECTION: { exit: 2, retry: false, summary: 'A --select expression does not parse or matches nothing.' },
  USAGE: { exit: 2, retry: false, summary: 'The command line is wrong.' },
  WAREHOUSE_UNREACHABLE: {
    exit: 3,
    retry: true,
    summary: 'The warehouse cannot be reached or refuses the credentials.',
  },
  WAREHOUSE_QUERY: { exit: 3, retry: true, summary: 'A warehouse query failed or ran past its deadline.' },
  WAREHOUSE_INCOMPLETE: {
    exit: 3,
    retry: true,
    summary: 'Fewer rows arrived than the warehouse says the result has.',
  },
  DESTINATION_UNREACHABLE: {
    exit: 3,
    retry: true,
    summary: 'The destination cannot be reached or refuses the credentials.',
  },
  LEDGER_UNREACHABLE: { exit: 3, retry: true, summary: 'The ledger database cannot be started or reached.' },
  LEDGER_VERSION: {
    exit: 3,
    retry: false,
    summary: 'The ledger, or its server, is of a version that this Readback cannot use.',
  },
  LEDGER_FENCED: {
    exit: 3,
    retry: true,
    summary: 'Another worker took this lane over; nothing was written.',
  },
  LEDGER_UNBALANCED: { exit: 1, retry: false, summary: 'Detected and accounted-for actions do not add up.' },
} as const;

export type ErrorCode = keyof typeof errorTable;

/** Where in a user's file a complaint points. Lines and columns count from 1. */
export interface Place {
  file: string;
  line?: number | undefined;
  column?: number | undefined;
}

export interface ErrorDetail {
  place?: Place | undefined;
  /** The offending value, as the user wrote it. Never a secret. */
  value?: string | undefined;
  /** What to write or do instead. */
  hint?: string | undefined;
  cause?: unknown;
}

/** The one error a user ever sees: a code from the table, the place, the value and the next step. */
export class ReadbackError extends Error {
  readonly code: ErrorCode;
  readonly place: Place | undefined;
  readonly value: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, { cause: detail.cause });
    this.name = 'ReadbackError';
    this.code = code;
    this.place = detail.place;
    this.value = detail.value;
    this.hint = detail.hint;
  }

  get exitCode(): number {
    return errorTable[this.code].exit;
  }

  /** `signals/churn.sql:4:7 CONFIG_VALUE: message (got: x)\n  → hint` */
  format(): string {
    const at = this.place
      ? `${[this.place.file, this.place.line, this.place.column].filter((part) => part !== undefined).join(':')} `
      : '';
    const got = this.value === undefined ? '' : ` (got: ${this.value})`;
    return `${at}${this.code}: ${this.message}${got}${this.hint ? `\n  → ${this.hint}` : ''}`;
  }
}
