import pg from 'pg';

type Format = 'text' | 'binary';

const { INT8, DATE } = pg.types.builtins;
const INT8_ARRAY = 1016;

const integer = (text: string): number | string => {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
};

/**
 * How the ledger's columns become JavaScript values. bigint is a number while it is exact and text beyond; numeric stays
 * text; timestamptz is a Date. A date stays text: pg would make it midnight of this machine's zone.
 * Given to our pool only, so that nobody else's use of pg changes.
 */
export const ledgerTypes: pg.CustomTypesConfig = {
  // biome-ignore lint/suspicious/noExplicitAny: the signature of pg's own type map
  getTypeParser(oid: number, format: Format = 'text'): any {
    if (format !== 'text') return pg.types.getTypeParser(oid, format);
    if (oid === INT8) return integer;
    if (oid === DATE) return (text: string) => text;
    if (oid === INT8_ARRAY) {
      const array = pg.types.getTypeParser(INT8_ARRAY as never, format) as (
        text: string,
      ) => (string | null)[];
      return (text: string) => array(text).map((item) => (item === null ? null : integer(item)));
    }
    return pg.types.getTypeParser(oid, format);
  },
};
