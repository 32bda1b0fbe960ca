import { ReadbackError } from '../../errors.ts';

/** One line of `doctor`. */
export interface Check {
  check: string;
  ok: boolean;
  detail: string;
  hint: string | null;
}

export function passed(check: string, detail = ''): Check {
  return { check, ok: true, detail, hint: null };
}

/** A check that failed; anything but an error of ours is a bug and goes up. */
export function failed(check: string, error: unknown): Check {
  if (!(error instanceof ReadbackError)) throw error;
  const { file, line, column } = error.place ?? {};
  const at = [file, line, column].filter((part) => part !== undefined).join(':');
  const got = error.value === undefined ? '' : ` (got: ${error.value})`;
  return { check, ok: false, detail: `${at && `${at} `}${error.message}${got}`, hint: error.hint ?? null };
}
